#!/usr/bin/env bash
# deb.sh - builds the Debian package of bigfusion for trixie. Used by `make deb`.
#
# Usage: deploy/deb.sh VERSION FOLDER     FOLDER gets bigfusion_VERSION-1_ARCHITECTURE.deb
#   BIGFUSION_TRIXIE_ROOT   where this machine is no trixie: folder of the trixie in which it is built, as root
#                           (default /var/tmp/bigfusion-trixie, the same as that of `make trixie`)
#
# What is built comes from the files as they are, committed or not. What building needs is installed where it is missing.
set -euo pipefail

source=$(cd "$(dirname "$0")/.." && pwd)
version=$1
folder=$2
say() { echo "deb: $*"; }
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

# The sources as dpkg wants them: debian/ at the top, with a changelog.
make_tree() {
    local seconds
    seconds=$(git -C "$source" log -1 --format=%ct 2>/dev/null || stat -c %Y "$source/CHANGELOG.md")
    root_source "$source" "$1"
    mv "$1/deploy/debian" "$1/debian"
    cat >"$1/debian/changelog" <<END
bigfusion ($version-1) trixie; urgency=medium

  * See /usr/share/doc/bigfusion/changelog.gz.

 -- $(sed -n 's/^Maintainer: //p' "$1/debian/control")  $(LC_ALL=C date -u -R -d "@$seconds")
END
}

build_here() {
    cd "$1"
    if ! { command -v dpkg-checkbuilddeps && dpkg-checkbuilddeps; } >/dev/null 2>&1; then
        say "installing what building needs"
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get build-dep -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "$PWD" >/dev/null
    fi
    say "building in $PWD"
    dpkg-buildpackage --build=binary --unsigned-changes --no-sign >build.log 2>&1 || {
        tail -n 40 build.log >&2
        exit 1
    }
}

if [ "${3:-}" = --inside ]; then
    build_here "/deb/bigfusion-$version"
    exit
fi
. "$source/tests/trixie/root.sh"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
if grep -qx 'VERSION_CODENAME=trixie' /etc/os-release; then
    make_tree "$folder/tree/bigfusion-$version"
    (build_here "$folder/tree/bigfusion-$version")
    built=$folder/tree
else
    root=${BIGFUSION_TRIXIE_ROOT:-/var/tmp/bigfusion-trixie}
    root_enter "$0" "$@"
    root_make "$root"
    make_tree "$root/deb/bigfusion-$version"
    root_inside "$root" "/deb/bigfusion-$version/deploy/deb.sh" "$version" / --inside
    built=$root/deb
fi
cp "$built"/bigfusion_"$version"-1_*.deb "$folder"
rm -rf -- "$built"
say "package=$(basename "$folder"/bigfusion_"$version"-1_*.deb) size_kb=$(($(stat -c %s "$folder"/bigfusion_"$version"-1_*.deb) / 1024))"
