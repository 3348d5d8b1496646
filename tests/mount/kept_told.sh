#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kept_told: that an original comes to be kept is nothing that encode, or who has the file open, may take for a file that is still there
# test: timeout=300
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
	run deltafsctl wait --timeout 240 mnt
	exec 8<"mnt/$codec/$(shard 1)"
	attach -e trace=fsync -e inject=fsync:delay_enter=200000
	deltafsctl encode --yes --json --codec $codec mnt/$codec/* </dev/null >said 2>errors &
	encoder=$!
	old=$(stat -L -c %i /proc/self/fd/8)
	elsewhere() { [ "$(stat -c %i "mnt/$codec/$(shard 1)")" != "$old" ]; }
	retry 200 elsewhere || fail "$codec: nothing took the place of shard 1: $(cat errors)"
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

# Nor is the new file, once it has the name, open for writing to the one who made it: it can be reverted at once.
mkdir mnt/soon
run deltafsctl policy set mnt/soon codec=bitdelta keep=manual
attach -P "$PWD/store/soon" -e trace=fsync -e inject=fsync:delay_enter=1000000	# of the directory, which the new name is written to
cp "pair/tune/$(shard 1)" mnt/soon/a
is_kept() { [ -n "$(told kept mnt/soon/a)" ]; }
retry 200 is_kept || fail "nothing is kept: $(told reason mnt/soon/a)"
run deltafsctl revert mnt/soon/a
kill "$tracer" && wait "$tracer" 2>/dev/null
cmp mnt/soon/a "pair/tune/$(shard 1)" || fail "reverted at once, it has other bytes"

dev=$(stat -c %d mnt)
# The kernel is told late that the name leads elsewhere, and meanwhile somebody links the new file, which makes it plain:
# whoever does that holds what the kernel wants for being told.
mkdir mnt/linked
run deltafsctl policy set mnt/linked keep=manual
for name in first second; do cp "pair/tune/$(shard 1)" mnt/linked/$name.safetensors; done
run deltafsctl wait --timeout 240 mnt
attach -e trace=renameat,rename
run deltafsctl encode --yes --codec bitdelta mnt/linked/first.safetensors </dev/null
kill "$tracer" && wait "$tracer" 2>/dev/null
publisher=$(grep 'first.safetensors' trace | tail -n 1 | cut -d ' ' -f 1)
[ -d "/proc/$(daemon_pid)/task/$publisher" ] || fail "who publishes: $(cat trace)"
strace -qq -o trace -p "$publisher" -e trace=writev -e inject=writev:delay_enter=3000000 2>strace.err 9>&- &
tracer=$!
traced() { grep -q 'TracerPid:.*[1-9]' "/proc/$(daemon_pid)/task/$publisher/status"; }
retry 20 traced || fail "strace does not attach: $(cat strace.err)"
exact=$(stat -c %s store/linked/second.safetensors)
deltafsctl encode --yes --codec bitdelta mnt/linked/second.safetensors </dev/null >said 2>&1 &
encoder=$!
# It is plain for a moment before.
published() { [[ " $exact $(stat -c %s "pair/tune/$(shard 1)") " != *" $(stat -c %s store/linked/second.safetensors) "* ]]; }
retry 200 published || fail "nothing took the place of second: $(cat said)"
# For a second the kernel believes that the name leads to the old file, and links none without a name; what asks the daemon follows the name.
deltafsctl accept mnt/linked/second.safetensors >accepted 2>&1 || fail "accept: $(cat accepted)"
if ! timeout -k 1 30 ln mnt/linked/second.safetensors mnt/linked/other.safetensors; then
	# nothing else ends what nobody can kill
	mountpoint -q /sys/fs/fuse/connections || mount -t fusectl none /sys/fs/fuse/connections
	echo 1 >"/sys/fs/fuse/connections/$((dev & 0xff | dev >> 12 & 0xfff00))/abort"
	fail "ln and the publisher wait for each other"
fi
grep -q writev trace || fail "the kernel was not told late: this shows nothing: $(cat trace strace.err)"
kill "$tracer" && wait "$tracer" 2>/dev/null
wait $encoder || fail "encode: $(cat said)"
run deltafsctl wait --timeout 240 mnt
cmp mnt/linked/second.safetensors mnt/linked/other.safetensors || fail "two names, two contents"
stop_daemon mnt
