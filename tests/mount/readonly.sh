#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# readonly: every change is EROFS, and a read-only mount writes nothing to its store
. "$(dirname "$0")/common.sh"

make_store --params 100000 --seed 7
echo x >store/x
mkdir store/d
snapshot() { find store -printf '%p %i %m %s %T@ %C@ %n\n' | sort; }
before=$(snapshot)

# Who may not write to the store reads it, and is told.
if [ "$(id -u)" != 0 ]; then
	mv store/.deltafs kept
	chmod 555 store
	deltafs store mnt 2>said || fail "a store that cannot be written: $(cat said)"
	grep -q 'ermission denied' said && grep -q 'read-only$' said || fail "it said: $(cat said)"
	fusermount3 -u mnt
	expect_fail 1 'ermission denied' deltafs -o rw store mnt
	chmod 755 store
	mv kept store/.deltafs
	before=$(snapshot)
fi

changes() {
	expect_fail any 'Read-only file system' touch mnt/new
	expect_fail any 'Read-only file system' sh -c 'echo y >mnt/x'
	expect_fail any 'Read-only file system' sh -c 'echo y >>mnt/tune/model.safetensors'
	expect_fail any 'Read-only file system' truncate -s 0 mnt/x
	expect_fail any 'Read-only file system' mkdir mnt/n
	expect_fail any 'Read-only file system' rmdir mnt/d
	expect_fail any 'Read-only file system' rm -f mnt/x
	expect_fail any 'Read-only file system' mv mnt/x mnt/y
	expect_fail any 'Read-only file system' ln mnt/x mnt/y
	expect_fail any 'Read-only file system' ln -s x mnt/y
	expect_fail any 'Read-only file system' mkfifo mnt/y
	expect_fail any 'Read-only file system' chmod 777 mnt/x
	expect_fail any 'Read-only file system' touch -m mnt/x
	expect_fail any 'Read-only file system' setfattr -n user.a -v b mnt/x
	expect_fail any 'Read-only file system' setfattr -n user.deltafs.state -v b mnt/x
	expect_fail any 'Read-only file system' fallocate -l 10 mnt/new
}

start_daemon store mnt
changes
expect_fail any '' python3 -c 'import os, fcntl; fcntl.ioctl(os.open("mnt/x", os.O_RDONLY), 0x5401, b"x" * 64)'
if is_root; then
	# The kernel's flag alone can be lifted; the daemon still refuses.
	mount -o remount,rw mnt 2>/dev/null
	changes
fi
cat mnt/x mnt/tune/model.safetensors >/dev/null
ls -lR mnt >/dev/null
stop_daemon mnt
[ "$(snapshot)" = "$before" ] || fail "the store changed: $(diff <(echo "$before") <(snapshot))"
