#!/usr/bin/env bash
# run.sh - bigfusion on Debian trixie, whose hiredis can do TLS and whose librdkafka can do SCRAM with a new Kafka: built there,
# unit tests, orders delivered over TLS with logins, and what a server that is not the right one gets.
#
# Usage: tests/trixie/run.sh        (as root; `make trixie`)
#   BIGFUSION_TRIXIE_ROOT   folder of the system (default /var/tmp/bigfusion-trixie); made once, used again by later runs
#                           and by `make deb`, about 1.2 GB
#
# The last line is `trixie: unit=N passed e2e=N passed tls_delivered=1 refused=7 attacks=N held=N`.
set -euo pipefail

source=$(cd "$(dirname "$0")/../.." && pwd)
root=${BIGFUSION_TRIXIE_ROOT:-/var/tmp/bigfusion-trixie}
say() { echo "trixie: $*"; }

. "$source/tests/trixie/root.sh"
root_enter "$0" "$@"
root_make "$root"
root_source "$source" "$root/src"
mkdir -p "$root/build"
if [ -e "$source/build/kafka/complete" ] && [ ! -e "$root/build/kafka/complete" ]; then
    cp -aL "$source/build/kafka" "$root/build/" # so that it is not fetched once more
fi
inside() { root_inside "$root" env BUILD=/build BUILD_KAFKA=/build/kafka BIGFUSION_RUNS=/build/out "$@"; }

# passed LOG WORDS...: runs a test that ends with "N passed, 0 failed", shows and keeps what it says, and leaves "N passed" in $passed.
passed() {
    local log=$root/build/$1
    shift
    inside "$@" | tee "$log"
    passed=$(tail -n 1 "$log")
    case "$passed" in
    *" passed, 0 failed") passed=${passed%,*} ;;
    *) exit 1 ;;
    esac
}

inside /src/deploy/install-deps.sh build test kafka
# With less than this the tests below would do without TLS to Redis and without SCRAM.
inside pkg-config --print-errors --exists hiredis_ssl 'rdkafka >= 2.6.1'
say "building"
inside make -s -C /src -j"$(nproc)" BUILD=/build all unit-build
inside /build/bin/bigfusion --version
passed unit.log python3 /src/tests/run.py unit
unit=$passed
say "end-to-end tests of TLS and logins"
passed e2e.log env JOBS=2 python3 /src/tests/run.py e2e -- tests/e2e/test_binaries.py tests/e2e/test_config.py \
    tests/e2e/test_vendor_tls.py tests/e2e/test_kafka_tls.py
say "the attacks of make security"
inside env JOBS=2 make -s -C /src BUILD=/build security | tee "$root/build/security.log"
attacks=$(tail -n 1 "$root/build/security.log")
e2e=$passed
tls=$(inside python3 /src/tests/trixie/redis_tls.py | tee /dev/stderr | tail -n 1)
say "unit=$unit e2e=$e2e $tls ${attacks#security: }"
