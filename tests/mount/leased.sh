#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# leased: where a program behind the mount has a lease on a file, who opens that waits until it is given back, as without the mount, and costs nothing meanwhile; who looks at its name does not
# test: timeout=120
. "$(dirname "$0")/common.sh"

mkdir -p store mnt
head -c 1000000 /dev/urandom >orig && cp orig store/file
size=1000000
start_daemon store mnt -o rw,noingest
cat >lease.py <<'PY'
import errno, fcntl, signal, sys, time
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGIO, signal.SIGUSR1})
file = open(sys.argv[1], "rb")
for _ in range(600):	# the daemon may close what was closed just now
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, getattr(fcntl, sys.argv[2]))
        break
    except OSError as error:
        if error.errno != errno.EAGAIN:
            raise
        time.sleep(0.05)
print("held", flush=True)
signal.sigwait({signal.SIGIO})
# Two seconds later, or once it is told to.
signal.sigtimedwait({signal.SIGUSR1}, 60 if len(sys.argv) > 3 else 2)
print("given back", flush=True)
PY
ticks() { awk '{ print $14 + $15 }' "/proc/$(daemon_pid)/stat"; }
# leased KIND [told]: somebody has it now, and gives it back two seconds after he was asked to, or once he is told.
leased() {
	: >leased
	python3 lease.py store/file "$@" >leased 2>&1 &
	retry 30 grep -q held leased || fail "no lease: $(cat leased)"
}
# waits WHAT: whoever opens the file now waits for the lease.
waits() {
	local before
	leased F_RDLCK
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

# One that is for nobody else to read: its name and its size are there. It is plain, as is seen once it can be
# opened, and not only when its name is looked at again, a second later.
start_daemon store mnt -o rw,noingest
leased F_WRLCK told
[ "$(ls mnt)" = file ] && [ "$(stat -c %s mnt/file)" = $size ] || fail "a name: $(stat mnt/file 2>&1)"
! grep -q 'given back' leased || fail "a look at a name waits for a lease"
stat mnt/file >/dev/null && kill -USR1 $! && wait $! && ln mnt/file mnt/linked || fail "a second name after a lease"
rm mnt/linked

leased F_WRLCK told
holder=$!
{ sleep 1; kill -USR1 $holder; } &
cmp mnt/file orig || fail "read while it is leased"
grep -q 'given back' leased || fail "who read it did not wait: this shows nothing"
wait $holder || fail "$(cat leased)"
stop_daemon mnt
