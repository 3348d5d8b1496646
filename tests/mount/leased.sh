#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# leased: where a program behind the mount has a lease on a file, who opens that for writing waits until it is given back, as without the mount, and costs nothing meanwhile
# test: timeout=120
. "$(dirname "$0")/common.sh"

mkdir -p store mnt
head -c 1000000 /dev/urandom >store/file
start_daemon store mnt -o rw,noingest
cat >lease.py <<'PY'
import fcntl, signal, sys, time
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGIO})
file = open(sys.argv[1], "rb")
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
print("held", flush=True)
if signal.sigtimedwait({signal.SIGIO}, 60):
    time.sleep(2)
    print("given back", flush=True)
PY
ticks() { awk '{ print $14 + $15 }' "/proc/$(daemon_pid)/stat"; }
# waits WHAT: whoever opens the file now waits for the lease.
waits() {
	local before
	: >leased
	python3 lease.py store/file >leased 2>&1 &
	retry 30 grep -q held leased || fail "no lease: $(cat leased)"
	before=$(ticks)
	: 6<>mnt/file || fail "$1: refused"
	grep -q 'given back' leased || fail "$1: it did not wait: this shows nothing"
	wait $! || fail "$1: $(cat leased)"
	[ $(($(ticks) - before)) -lt $((3 * $(getconf CLK_TCK) / 4)) ] || fail "$1: it waited with $(($(ticks) - before)) of $(getconf CLK_TCK) ticks a second"
}
waits "nobody has it open"
exec 5<mnt/file
head -c 1 <&5 >/dev/null
waits "somebody reads it"
exec 5<&-
stop_daemon mnt
