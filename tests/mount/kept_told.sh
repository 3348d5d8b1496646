#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kept_told: that an original comes to be kept is nothing that encode, or who has the file open, may take for a file that is still there
# test: timeout=120
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/ctl/common.sh"	# run, member
need strace

"$DFS_BUILD/tests/tools/make_pair" --params 1000000 --hidden 128 --seed 6 --shards 3 pair >/dev/null || fail make_pair
mkdir -p store mnt
cp -r pair/base store/base
run deltafsctl base add store store/base
start_daemon store mnt -o rw,quiet=0
shard() { echo "model-0000$1-of-00003.safetensors"; }

# The name leads to the new file, and the daemon is slow to write that to the disk.
for codec in bitdelta ultradelta; do
	mkdir "mnt/$codec"
	run deltafsctl policy set "mnt/$codec" keep=manual
	for i in 1 2 3; do cp "pair/tune/$(shard $i)" "mnt/$codec/"; done
	run deltafsctl wait --timeout 60 mnt
	exec 8<"mnt/$codec/$(shard 1)"
	attach -e trace=fsync -e inject=fsync:delay_enter=200000
	deltafsctl encode --yes --json --codec $codec mnt/$codec/* </dev/null >said 2>errors &
	encoder=$!
	old=$(stat -L -c %i /proc/self/fd/8)
	elsewhere() { [ "$(stat -c %i "mnt/$codec/$(shard 1)")" != "$old" ]; }
	retry 60 elsewhere || fail "$codec: nothing took the place of shard 1: $(cat errors)"
	links=$(stat -L -c %h /proc/self/fd/8)
	wait $encoder || fail "$codec: encode: $(cat said errors)"
	kill "$tracer" && wait "$tracer" 2>/dev/null
	exec 8<&-
	[ "$links" = 0 ] || fail "$codec: the old file has $links names, and none leads to it"
	[ "$(member said '[f["result"] for f in o["files"]]')" = "['compressed', 'compressed', 'compressed']" ] ||
		fail "$codec: encode says: $(cat said)"
	for i in 1 2 3; do
		[ "$(told exact "mnt/$codec/$(shard $i)")" = 0 ] || fail "$codec: shard $i gave up nothing"
		run deltafsctl revert "mnt/$codec/$(shard $i)"
		cmp "mnt/$codec/$(shard $i)" "pair/tune/$(shard $i)" || fail "$codec: shard $i, reverted, has other bytes"
	done
done
stop_daemon mnt
