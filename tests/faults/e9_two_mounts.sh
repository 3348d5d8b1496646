#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E9: one writer a store: a second mount is refused and told whose it is, read-only ones are not; free at once after kill -9.
# test: timeout=120
. "$(dirname "$0")/common.sh"

make_base --params 60000 --hidden 64 --vocab 256 --seed 331
mkdir mnt2
at_end 'umount -l mnt2 2>/dev/null'
start_rw
put "$original" f && becomes_coded f || fail "put"
pid=$(daemon_pid)
n=0
for ((i = 0; i < $(full 50 5); i++)); do
	expect_fail any "(^|[^0-9])$pid([^0-9]|\$)" timeout 60 deltafs -f -o rw store mnt2
	! is_mounted mnt2 || fail "mounted twice"
	n=$((n + 1))
done
expect_fail any "$pid" fsck.deltafs -p store

# Another that only reads.
deltafs -f -o ro store mnt2 2>second.log &
second=$!
retry 20 is_mounted mnt2 || fail "a read-only one: $(cat second.log)"
cmp mnt2/f "$original" || fail "other bytes through the read-only one"
expect_fail any 'Read-only' touch mnt2/g
put "$original" g && becomes_coded g || fail "put beside a reader"
sees() { cmp -s mnt2/g "$original"; }
retry 10 sees || fail "the read-only one does not see what the other wrote"
umount mnt2 && wait "$second" || fail "the read-only one ended with $?"

# The lock dies with its process; the stale mountpoint is no obstacle, neither here nor elsewhere.
for ((i = 0; i < $(full 50 5); i++)); do
	exec 3<mnt/f
	kill_daemon
	expect_fail any 'not connected|Input/output|aborted' head -c1 mnt/f
	start_rw
	exec 3<&-
	promises_hold "after kill -9 number $i"
	n=$((n + 1))
done
kill_daemon
DFS_WRAP=./own_share start_daemon store mnt2 -o rw,quiet=0 # elsewhere, the old one still stale
cmp mnt2/g "$original" || fail "elsewhere"
stop_daemon mnt2
umount -l mnt 2>/dev/null
every_container_verifies "in the end"
faults_fired "$n" 10
