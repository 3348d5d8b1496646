#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C5: a disk that fails: EIO; and right again without a remount when it works again.
# test: timeout=300 root
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
need nbdkit nbdfuse losetup mkfs.ext4

make_store --params 3000000 --hidden 512 --vocab 1024 --seed 81
truncate -s 128M disk.img && mkfs.ext4 -q disk.img
mkdir nbd disk
nbdfuse nbd --command nbdkit -s --filter=error file disk.img error-pread=EIO error-pread-rate=100% \
	error-pread-file="$DFS_TMP/fail" >nbd.log 2>&1 &
server=$!
at_end "kill $server 2>/dev/null; wait $server 2>/dev/null"
at_end "umount disk 2>/dev/null; umount nbd 2>/dev/null"
retry 20 test -e nbd/nbd || fail "nbdfuse: $(cat nbd.log)"
loop=$(losetup --show -f --direct-io=on nbd/nbd) || loop=$(losetup --show -f nbd/nbd) || fail "losetup"
at_end "losetup -d $loop"
mount "$loop" disk || fail "mount $loop"
at_end "umount mnt 2>/dev/null"
cp -a store disk/ && sync

start_daemon disk/store mnt
shown=mnt/tune/model.safetensors original=orig/tune/model.safetensors
everything_cold() {
	evict "$shown" disk/store/tune/model.safetensors disk/store/base/model.safetensors
	blockdev --flushbufs "$loop"
}
everything_cold
cmp "$shown" "$original" || fail "wrong before anything failed"
touch fail
everything_cold
pages "$shown" "$original"
[ "$refused" -gt 0 ] || fail "the fault did not fire"
[ "$wrong" = 0 ] || fail "$wrong pages wrong"
grep -q 'model.safetensors' "$log" || fail "the log names no file"
rm fail
everything_cold
pages "$shown" "$original"
[ "$refused$wrong" = 00 ] || fail "after the disk recovered: refused $refused, wrong $wrong"
stop_daemon mnt
