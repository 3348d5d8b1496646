#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# helper: called as mount.deltafs it takes mount(8)'s words and gives mount(8)'s exit statuses
. "$(dirname "$0")/common.sh"

make_store --params 100000 --seed 12
mkdir bin
ln -s "$(command -v deltafs)" bin/mount.deltafs
ln -s "$(command -v deltafs)" bin/mount.fuse.deltafs
ended() { ! kill -0 "$1" 2>/dev/null; }

for name in mount.deltafs mount.fuse.deltafs; do
	bin/$name "$DFS_TMP/store" "$DFS_TMP/mnt" -o rw,nofail,_netdev,x-systemd.requires=a,cache=16M 2>said || fail "$name: $(cat said)"
	cmp orig/tune/model.safetensors mnt/tune/model.safetensors || fail "$name: bytes"
	cp orig/tune/model.safetensors mnt/written && cmp orig/tune/model.safetensors store/written || fail "$name: not written to"
	rm mnt/written
	pid=$(status pid)
	umount mnt 2>/dev/null || fusermount3 -u mnt || fail "umount"
	retry 20 ended "$pid" || fail "$name: the daemon stays"
done
bin/mount.deltafs -f "$DFS_TMP/store" "$DFS_TMP/mnt" || fail "-f only pretends"
is_mounted mnt && fail "-f mounted"
expect_fail 1 'unknown option' bin/mount.deltafs store mnt -o cahce=1
bin/mount.deltafs -s store mnt -o cahce=1 -v -n || fail "-s passes over what it does not know"
umount mnt 2>/dev/null || fusermount3 -u mnt || fail "umount"
expect_fail 32 'no such directory' bin/mount.deltafs store nowhere
expect_fail 32 'no such directory' bin/mount.deltafs nostore mnt
expect_fail 1 'STORE and MOUNTPOINT' bin/mount.deltafs store

# The real mount(8), which looks for helpers in /sbin alone: in a mount namespace of our own.
is_root || exit 0
mkdir upper work
unshare -m bash -c '
	mount -t tmpfs none upper && mkdir upper/u upper/w &&
	mount -t overlay none -o "lowerdir=$(realpath /sbin),upperdir=$PWD/upper/u,workdir=$PWD/upper/w" "$(realpath /sbin)" 2>/dev/null || exit 77
	ln -s "$(command -v deltafs)" /sbin/mount.deltafs &&
	mount -t deltafs -o ro,cache=16M store mnt && cmp orig/tune/model.safetensors mnt/tune/model.safetensors && umount mnt' 2>said
status=$?
[ "$status" = 0 ] || [ "$status" = 77 ] || fail "mount -t deltafs: $(cat said)"
