#!/usr/bin/env bash
# run.sh - the Debian package in a clean trixie with systemd: the README's quick start word for word, the commands of docs/packages.md,
# upgrade, removal. `make deb-test`, as root.
#
# Usage: tests/package/run.sh FILE.deb
#   BIGFUSION_CLEAN_ROOT    folder of the clean trixie (default /var/tmp/bigfusion-trixie-clean); made once, about 400 MB. It is
#                           only read: what the test writes is in memory and gone at the end
#   BIGFUSION_TRIXIE_ROOT   folder of the trixie in which lintian runs (default /var/tmp/bigfusion-trixie, see `make deb`)
#
# The last line is `deb: package=NAME size_kb=N installed=1 checked=4 units=N security=X.X`.
set -euo pipefail

source=$(cd "$(dirname "$0")/../.." && pwd)
clean=${BIGFUSION_CLEAN_ROOT:-/var/tmp/bigfusion-trixie-clean}
tools=${BIGFUSION_TRIXIE_ROOT:-/var/tmp/bigfusion-trixie}
say() { echo "deb: $*"; }
. "$source/tests/trixie/root.sh"
root_enter "$0" "$@"
package=$(realpath "$1")

root_make "$tools"
chroot "$tools" sh -c 'command -v lintian' >/dev/null || root_install "$tools" lintian
cp "$package" "$tools/tmp"
say "lintian"
root_inside "$tools" lintian --allow-root --fail-on error --suppress-tags no-manual-page "/tmp/$(basename "$package")"

# The clean system keeps what apt downloads, so that the machine of the test needs no network.
root_make "$clean"
cp "$package" "$clean/tmp"
chroot "$clean" sh -c 'command -v curl && test -e /sbin/init' >/dev/null || root_install "$clean" systemd-sysv curl
root_inside "$clean" apt-get update -qq
root_inside "$clean" apt-get install -y -qq --download-only "/tmp/$(basename "$package")" redis-server >/dev/null
umount "$clean/proc"

scratch=$(mktemp -d)
mount -t tmpfs tmpfs "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$scratch/root"
mount -t overlay -o "lowerdir=$clean,upperdir=$scratch/upper,workdir=$scratch/work" overlay "$scratch/root"
exec /usr/bin/python3 "$source/tests/package/package.py" "$scratch/root" "$package"
