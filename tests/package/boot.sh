#!/bin/sh
# boot.sh - starts the systemd of the system in a folder, as process 1 of the namespaces that it is started in: mount, process ids,
# control groups, network, names. Run by package.py.
#
# Usage: unshare --mount --pid --cgroup --ipc --uts --net --fork tests/package/boot.sh FOLDER
set -eu
root=$1
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/run"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
hostname package-test
# Not by chroot: within one the kernel refuses the user namespaces of PrivateUsers=.
cd "$root"
mkdir -p .surrounding
pivot_root . .surrounding
umount -l /.surrounding
rmdir /.surrounding
# As a systemd that is really the first process does: services see what is mounted for them.
mount --make-rshared /
exec env -i container=bigfusion-test PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/lib/systemd/systemd --unit=multi-user.target
