# shellcheck shell=bash
# root.sh - systems of Debian trixie in a folder, for work that the machine's own system is wrong for. To be sourced.
#
#   root_enter "$0" "$@"         goes on as root in a mount namespace of its own: what is mounted later is gone at the end,
#                                however the script ends
#   root_make FOLDER             makes a minimal trixie in FOLDER, from the machine's own Debian mirror, where there is none,
#                                and keeps it for this script alone until the end
#   root_source SOURCE TARGET    copies the sources, without what was built, into a new folder TARGET
#   root_install FOLDER PACKAGES...  installs packages there, without recommended ones
#   root_inside FOLDER WORDS...  runs a program inside, with a clean environment and /proc
#
# A folder that holds something else is never touched. The caller sets `say`, its way to speak.

root_enter() {
    if [ "$(id -u)" -ne 0 ]; then
        say "must be run by root: it makes a system of Debian trixie in a folder" >&2
        exit 100
    fi
    if [ -z "${BIGFUSION_ROOT_ENTERED:-}" ]; then
        BIGFUSION_ROOT_ENTERED=1 exec unshare --mount --propagation private --fork --kill-child "$@"
    fi
}

root_mirror() {
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1)
    if [ -z "$mirror" ]; then
        say "no Debian mirror in this machine's package sources" >&2
        return 111
    fi
    echo "$mirror"
}

root_make() {
    local root=$1 mirror lock
    mkdir -p "$(dirname "$root")"
    exec {lock}>"$root.lock"
    if ! flock -n "$lock"; then
        say "waiting for another script that works in $root"
        flock "$lock"
    fi
    if [ ! -e "$root/.bigfusion-trixie" ]; then
        if [ -e "$root" ] && [ ! -e "$root/.bigfusion-begun" ] && [ -n "$(ls -A "$root")" ]; then
            say "$root is not empty and no system of ours" >&2
            return 100
        fi
        if ! command -v debootstrap >/dev/null; then
            say "installing debootstrap"
            apt-get update -qq
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
        fi
        mirror=$(root_mirror) || return
        say "making $root from $mirror"
        rm -rf --one-file-system -- "$root"
        mkdir -p "$root"
        touch "$root/.bigfusion-begun"
        debootstrap --variant=minbase trixie "$root" "$mirror" >"$root.log" 2>&1 || {
            tail -n 20 "$root.log" >&2
            return 111
        }
        rm -f -- "$root.log"
        touch "$root/.bigfusion-trixie"
    fi
    mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
}

root_install() {
    local root=$1
    shift
    say "installing $* in $root"
    root_inside "$root" apt-get update -qq
    root_inside "$root" apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "$@" >/dev/null
}

root_source() {
    rm -rf --one-file-system -- "$2"
    mkdir -p "$2"
    tar -C "$1" --exclude=./build --exclude=./.git --exclude=./deploy/local --exclude=node_modules --exclude=__pycache__ \
        -cf - . | tar -C "$2" -xf -
}

root_inside() {
    local root=$1
    shift
    chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} "$@"
}
