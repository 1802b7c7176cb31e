#!/usr/bin/env bash
# run.sh - bigfusion on Debian trixie, whose hiredis can do TLS: built there, unit tests, an order delivered with Redis over TLS.
#
# Usage: tests/trixie/run.sh        (as root; `make trixie`)
#   BIGFUSION_TRIXIE_ROOT   folder of the system (default /var/tmp/bigfusion-trixie); made once by debootstrap from the
#                           machine's own Debian mirror, used again by later runs, about 1.2 GB
#
# The last line is `trixie: unit=N passed tls_delivered=1 refused=4`. Everything is mounted in a mount namespace of its
# own, so nothing stays mounted, however this ends.
set -euo pipefail

source=$(cd "$(dirname "$0")/../.." && pwd)
root=${BIGFUSION_TRIXIE_ROOT:-/var/tmp/bigfusion-trixie}
say() { echo "trixie: $*"; }

if [ "$(id -u)" -ne 0 ]; then
    say "must be run by root: it makes a system in $root" >&2
    exit 100
fi
if [ -z "${BIGFUSION_TRIXIE_INSIDE:-}" ]; then
    BIGFUSION_TRIXIE_INSIDE=1 exec unshare --mount --propagation private --fork --kill-child "$0" "$@"
fi

if ! command -v debootstrap >/dev/null; then
    say "installing debootstrap"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
fi
if [ ! -e "$root/.bigfusion-trixie" ]; then
    # Never into a folder that holds something else.
    if [ -e "$root" ] && [ ! -e "$root/.bigfusion-begun" ] && [ -n "$(ls -A "$root")" ]; then
        say "$root is not empty and no system of ours" >&2
        exit 100
    fi
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1)
    if [ -z "$mirror" ]; then
        say "no Debian mirror in this machine's package sources" >&2
        exit 111
    fi
    say "making $root from $mirror"
    rm -rf --one-file-system -- "$root"
    mkdir -p "$root"
    touch "$root/.bigfusion-begun"
    debootstrap --variant=minbase trixie "$root" "$mirror" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 111; }
    rm -f -- "$root.log"
    touch "$root/.bigfusion-trixie"
fi

mount -t proc proc "$root/proc"
rm -rf --one-file-system -- "$root/src"
mkdir -p "$root/src" "$root/build"
tar -C "$source" --exclude=./build --exclude=./.git -cf - . | tar -C "$root/src" -xf -

inside() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 BUILD=/build BIGFUSION_RUNS=/build/out \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} "$@"
}

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
