#!/usr/bin/env bash
# run.sh - bigfusion on Debian trixie, whose hiredis can do TLS: built there, unit tests, an order delivered with Redis over TLS.
#
# Usage: tests/trixie/run.sh        (as root; `make trixie`)
#   BIGFUSION_TRIXIE_ROOT   folder of the system (default /var/tmp/bigfusion-trixie); made once, used again by later runs
#                           and by `make deb`, about 1.2 GB
#
# The last line is `trixie: unit=N passed tls_delivered=1 refused=4`.
set -euo pipefail

source=$(cd "$(dirname "$0")/../.." && pwd)
root=${BIGFUSION_TRIXIE_ROOT:-/var/tmp/bigfusion-trixie}
say() { echo "trixie: $*"; }

. "$source/tests/trixie/root.sh"
root_enter "$0" "$@"
root_make "$root"
root_source "$source" "$root/src"
mkdir -p "$root/build"
inside() { root_inside "$root" env BUILD=/build BIGFUSION_RUNS=/build/out "$@"; }

inside /src/deploy/install-deps.sh build test
say "building"
inside make -s -C /src -j"$(nproc)" BUILD=/build all unit-build
inside /build/bin/bigfusion --version
inside python3 /src/tests/run.py unit | tee "$root/build/unit.log"
unit=$(tail -n 1 "$root/build/unit.log")
case "$unit" in
*" passed, 0 failed") ;;
*) exit 1 ;;
esac
tls=$(inside python3 /src/tests/trixie/redis_tls.py | tee /dev/stderr | tail -n 1)
say "unit=${unit%,*} $tls"
