#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C8: a store that is or becomes read-only is read all the same: remounted ro, squashfs, erofs.
# test: timeout=300 root
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"
need mksquashfs mkfs.erofs mkfs.ext4

make_store --params 300000 --hidden 256 --vocab 512 --seed 101
original=orig/tune/model.safetensors
mkdir image
n=0

check() {
	cmp mnt/tune/model.safetensors "$original" || fail "$1: wrong bytes"
	cmp mnt/base/model.safetensors orig/base/model.safetensors || fail "$1: wrong plain bytes"
	expect_fail any 'Read-only' touch mnt/new
	expect_fail any 'Read-only' rm -f mnt/tune/model.safetensors
	n=$((n + 1))
}

truncate -s 64M ext4.img && mkfs.ext4 -q ext4.img && mount_image ext4.img image || fail "ext4"
cp -a store image/
start_daemon image/store mnt
check "ext4"
mount -o remount,ro image || fail "remount"
evict mnt/tune/model.safetensors
check "ext4 that became read-only"
cpu() { awk '{ print $14 + $15 }' "/proc/$daemon/stat"; }
before=$(cpu)
stat mnt/tune >/dev/null
[ $(($(cpu) - before)) -lt 20 ] || fail "the daemon is spinning"
stop_daemon mnt
umount image

mksquashfs store squash.img -quiet -no-progress -xattrs >/dev/null || fail "mksquashfs"
mount_image squash.img image || fail "squashfs"
start_daemon image mnt
check squashfs
stop_daemon mnt
umount image

mkfs.erofs erofs.img store >/dev/null 2>&1 || fail "mkfs.erofs"
mount_image erofs.img image -t erofs || fail "erofs"
start_daemon image mnt
check erofs
stop_daemon mnt
umount image
faults_fired "$n" 4
