#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A4, A5: SIGTERM with fifty files in the queue ends within 5 s, and they go on later; umount while busy, while a file is open, lazily.
# test: timeout=600 root
. "$(dirname "$0")/common.sh"

make_base --params 3000000 --hidden 256 --vocab 512 --seed 321
start_rw
for ((i = 0; i < 50; i++)); do promise "$original" "q$i"; done
# All closed at once: however fast it is compressed, there is a queue.
python3 - "$original" <<'PY' || fail "fifty files"
import os, sys
data = open(sys.argv[1], "rb").read()
for fd in [os.open(f"mnt/q{i}", os.O_WRONLY | os.O_CREAT) for i in range(50)]:
    os.write(fd, data)
PY
coded() { local n=0 i; for ((i = 0; i < 50; i++)); do ! is_coded "q$i" || n=$((n + 1)); done; echo "$n"; }
before=$(coded)
[ "$before" -lt 45 ] || fail "$before were compressed already: no queue"
start=$(date +%s%N)
kill -TERM "$(daemon_pid)"
status=0
wait "$daemon" || status=$?
took=$((($(date +%s%N) - start) / 1000000))
[ "$status" = 0 ] || fail "ended with $status: $(cat "$log")"
[ "$took" -le 5000 ] || fail "took $took ms"
! is_mounted mnt || fail "still mounted"
is_tidy "after SIGTERM"
left=$((50 - $(coded)))
[ "$left" -gt 0 ] || fail "nothing was left to do"
every_container_verifies "after SIGTERM"

# A5: busy: nothing keeps umount. Open: EBUSY.
start_rw
promises_hold "mounted again"
retry 20 test "$(coded)" -ge 0
umount mnt || fail "umount while the queue is busy"
wait "$daemon" || fail "umount: ended with $?"
is_tidy "after umount"
start_rw
exec 3<mnt/q0
expect_fail any 'busy' umount mnt
exec 3<&-
(cd mnt && expect_fail any 'busy' umount "$DFS_TMP/mnt")
[ "$(cat mnt/q49 | sha256sum)" = "$(sha256sum <"$original")" ] || fail "after a umount that was refused"

# Lazily: who has it open reads on, to the end. Often: a request may be on its way to the daemon when the last handle goes.
lazily=5
[ -z "${DFS_FULL:-}" ] || lazily=200
ends() { ! kill -0 "$daemon" 2>/dev/null; }
for ((i = 0; i < lazily; i++)); do
	[ "$i" = 0 ] || start_rw
	exec 3<mnt/q1
	umount -l mnt || fail "umount -l"
	! is_mounted mnt || fail "umount -l: still mounted"
	[ "$(cat <&3 | sha256sum)" = "$(sha256sum <"$original")" ] || fail "a handle from before umount -l"
	exec 3<&-
	retry 10 ends || fail "does not end once nobody has anything open"
	wait "$daemon" || fail "umount -l $i: ended with $?: $(tail -3 "$log")"
done

start_rw
all_coded() { [ "$(coded)" = 50 ]; }
retry 120 all_coded || fail "only $(coded) of 50: the queue did not go on"
promises_hold "in the end"
stop_daemon mnt
is_tidy "in the end"
every_container_verifies "in the end"
echo "SIGTERM: $took ms, $before done before, $left left"
faults_fired $((lazily + 4))
