#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# reused_inodes: promise 2, the page cache outlives no content: inode, size and mtime are reused by other bytes, hundreds of times.
# test: timeout=240
. "$(dirname "$0")/common.sh"

given_pair
"$DFS_BUILD/tests/tools/make_pair" --params 400000 --hidden 256 --vocab 512 --seed 2 other >/dev/null
cp orig/tune/model.safetensors v0 && cp other/tune/model.safetensors v1
mkdir store/r && cp v0 store/r/c0 && cp v1 store/r/c1 && deltafsctl encode store/r/c0 store/r/c1 >/dev/null || fail "encode"
cp -a store/r/c0 c0 && cp -a store/r/c1 c1 && rm store/r/c?
touch -d '2026-01-01' v0 v1 c0 c1
start_daemon store mnt
reused=0 last=0
for ((i = 0; i < 60; i++)); do
	which=$((i % 2))
	rm -f store/r/file
	if ((i % 3)); then cp -a v$which store/r/file; else cp -a c$which store/r/file; fi
	inode=$(stat -c %i store/r/file)
	[ "$inode" != "$last" ] || reused=$((reused + 1))
	last=$inode
	# Within the second that the kernel may believe an old name, the old bytes, an
	# error or the new ones; after it the new ones.
	cp mnt/r/file got 2>/dev/null && { cmp -s got v0 || cmp -s got v1 || fail "round $i: bytes that nobody wrote"; }
	((i % 6)) && continue
	settled() { cmp -s mnt/r/file v$which; }
	retry 4 settled || fail "round $i: old bytes go on"
done
echo "$reused of 60 took the same inode number"
alive
stop_daemon mnt
