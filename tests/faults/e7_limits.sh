#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E7: out of descriptors, out of threads: an errno for who asked, right bytes for all others, and all comes back; ingest waits.
# test: timeout=600 root nosan
. "$(dirname "$0")/common.sh"

make_base --params 300000 --hidden 256 --vocab 512 --seed 461
start_rw
put "$original" coded && becomes_coded coded || fail "coded"
stop_daemon mnt
refused=0

# A hundred at once: each writes its own, or reads what is compressed, thaws a copy of it, lists. Says
# what was refused; any errno but those of want, and any other byte, is an end.
cat >crowd.py <<'PY'
import errno, os, sys
me, names = sys.argv[1], sys.argv[2]
original = open(sys.argv[3], "rb").read()
allowed = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EIO}

def write(name, held):
    fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
    held.append(fd)
    for at in range(0, len(original), 100000):
        os.pwrite(fd, original[at:at + 100000], at)
    os.fsync(fd)
    promised = name[4:]
    os.write(1, (promised + "\n").encode())

def read(held):
    held.append(os.open("mnt/coded", os.O_RDONLY))
    got = os.pread(held[-1], len(original), 0)
    if got != original:
        sys.exit(f"other bytes, {len(got)} of them")

def thaw(name, held):
    held.append(os.open(name, os.O_RDWR))
    os.pwrite(held[-1], original[5000:5001], 5000)
    os.fsync(held[-1])

children = []
for i in range(100):
    pid = os.fork()
    if pid == 0:
        held, status = [], 0
        for act in (lambda: write(f"mnt/{me}.{i}", held), lambda: read(held), lambda: thaw(f"mnt/coded.{i % 8}", held),
                    lambda: os.listdir("mnt")):
            try:
                act()
            except OSError as e:
                if e.errno not in allowed:
                    print(e, file=sys.stderr)
                    os._exit(2)
                status = 3
            except SystemExit as e:
                print(e, file=sys.stderr)
                os._exit(1)
        os._exit(status)
    children.append(pid)
ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
open(names, "w").write(f"{ended.count(3)}\n")
sys.exit(1 in ended or 2 in ended)
PY

# crowd WHAT
crowd() {
	local name
	timeout 120 python3 crowd.py "$n" counted "$original" >synced 2>crowd.err || fail "$1: $(sort crowd.err | uniq -c | head -5) $(tail -3 "$log")"
	refused_now=$(cat counted)
	refused=$((refused + refused_now))
	while read -r name; do promise "$original" "$name"; done <synced
	kill -0 "$(daemon_pid)" || fail "$1: the daemon is dead: $(tail -3 "$log")"
	n=$((n + 1))
}

# recovers WHAT: what was refused is not, for anybody, once the crowd is gone.
can_all() { head -c 5 mnt/coded >/dev/null && echo x >mnt/after && [ "$(cat mnt/after)" = x ] && ls mnt >/dev/null; }
recovers() {
	retry 20 can_all 2>/dev/null || fail "$1: does not recover: $(tail -3 "$log")"
	promises_hold "$1"
	for ((i = 0; i < 8; i++)); do cmp "mnt/coded.$i" "$original" || fail "$1: coded.$i"; done
}
copies() { for ((i = 0; i < 8; i++)); do cp -a store/coded "store/coded.$i"; done; }

# starts WHAT WRAP: it is mounted and reads, or ends with a sentence; it neither hangs nor dies.
starts() {
	local status=0
	log=$DFS_TMP/daemon.log
	: >"$log"
	# shellcheck disable=SC2086  # words
	timeout 60 $2 deltafs -f -o rw,quiet=0 store mnt >"$log" 2>&1 &
	daemon=$!
	retry 20 daemon_settled || fail "$1: neither mounted nor ended: $(cat "$log")"
	if is_mounted mnt; then
		cmp mnt/coded "$original" 2>said || ! grep -q differ said || fail "$1: other bytes"
		umount mnt || fail "$1: umount"
	else
		refused=$((refused + 1))
	fi
	wait "$daemon" || status=$?
	[ "$status" -lt 120 ] || fail "$1: ended with $status: $(cat "$log")"
	[ "$status" = 0 ] || grep -q '^deltafs: ' "$log" || fail "$1: not a word: $(cat "$log")"
	n=$((n + 1))
}

n=0
for few in 4 5 6 7 8 12 16 32; do starts "$few descriptors" "prlimit --nofile=$few:$few"; done
[ "$refused" -gt 0 ] || fail "6 descriptors are enough: this shows nothing"

copies
start_rw "" "prlimit --nofile=48:48"
crowd "48 descriptors"
[ "$refused_now" -gt 0 ] || fail "48 descriptors were enough: this shows nothing"
recovers "48 descriptors"
put "$original" waits && becomes_coded waits
stop_daemon mnt
is_tidy "48 descriptors"
every_container_verifies "48 descriptors"
echo "48 descriptors: refused $refused_now of 100"

# Told to end while there is none left.
start_rw "" "prlimit --nofile=48:48"
python3 - <<'PY' &
import os, time
held = []
try:
    while len(held) < 100:
        held.append(os.open("mnt/coded", os.O_RDWR) if len(held) % 2 else os.open(f"mnt/held.{len(held)}", os.O_RDWR | os.O_CREAT))
except OSError:
    open("exhausted", "w").close()
time.sleep(60)
PY
holder=$!
retry 20 test -e exhausted || fail "48 descriptors last for 100 files: this shows nothing"
kill -TERM "$(daemon_pid)"
retry 20 is_dead || fail "without descriptors, SIGTERM does not end it"
wait "$daemon" || fail "without descriptors, SIGTERM: ended with $?: $(cat "$log")"
kill $holder
wait $holder 2>/dev/null
! is_mounted mnt || fail "without descriptors, SIGTERM leaves the mount"

pids=/sys/fs/cgroup/pids/deltafs-e7-$$
[ -d /sys/fs/cgroup/pids ] || pids=/sys/fs/cgroup/deltafs-e7-$$
mkdir "$pids" 2>/dev/null && [ -e "$pids/pids.max" ] || skip "no pids cgroup"
at_end "retry 20 rmdir $pids 2>/dev/null"
printf '#!/bin/sh\necho $$ >%s/cgroup.procs && exec "$@"\n' "$pids" >few && chmod +x few
# met: how often a thread was refused; the kernel counts.
met() { awk '$1 == "max" { print $2 }' "$pids/pids.events"; }
for few in 2 4 8 12 16; do
	echo "$few" >"$pids/pids.max"
	starts "$few threads" ./few
done
echo max >"$pids/pids.max"
copies
start_rw "" ./few
before=$(met)
cat "$pids/pids.current" >"$pids/pids.max"
crowd "no more threads"
met=$(($(met) - before))
[ "$met" -gt 0 ] || fail "no thread was refused: this shows nothing"
recovers "no more threads"
put "$original" waits2
echo max >"$pids/pids.max"
deltafsctl encode mnt/waits2 >said 2>&1 || fail "no more threads: ingest does not go on: $(cat said)" # which is else after a minute
is_coded waits2 || fail "no more threads: not compressed: $(cat said)"
stop_daemon mnt
is_tidy "no more threads"
every_container_verifies "no more threads"
echo "threads that could not be had: $met"
faults_fired $((refused + met))
