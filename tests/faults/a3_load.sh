#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A3: kill -9 at random while four write and four read: readers get an error or right bytes, what was synced is there.
# test: timeout=1200
. "$(dirname "$0")/common.sh"

make_base --params 60000 --hidden 64 --vocab 256 --seed 311
for i in 1 2 3; do
	"$DFS_BUILD/tests/tools/make_pair" --params 60000 --hidden 64 --vocab 256 --seed 311 --r 0.01$i v$i >/dev/null
	mv v$i/tune/model.safetensors version.$i
done
cat >load.py <<'PY'
import hashlib, os, random, sys
what, me, seed = sys.argv[1], sys.argv[2], sys.argv[3]
rng = random.Random(seed + what + me)
versions = [open(f"version.{i}", "rb").read() for i in (1, 2, 3)]
sums = [hashlib.sha256(v).hexdigest() for v in versions]
log = open(f"{what}.{me}", "a", buffering=1)

def write():
    name, v = f"w{me}.{rng.randrange(4)}", rng.randrange(3)
    print("began", name, sums[v], file=log)
    new = f"mnt/.{name}.new"
    fd = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    for at in range(0, len(versions[v]), 50000):
        os.pwrite(fd, versions[v][at:at + 50000], at)
    os.fsync(fd)
    os.close(fd)
    os.rename(new, "mnt/" + name)
    d = os.open("mnt", os.O_RDONLY)
    os.fsync(d)
    os.close(d)
    print("synced", name, sums[v], file=log)

def read():
    name = f"w{rng.randrange(1, 5)}.{rng.randrange(4)}"
    try:
        got = open("mnt/" + name, "rb").read()
    except FileNotFoundError:
        return
    if hashlib.sha256(got).hexdigest() not in sums:
        print("wrong", name, len(got), file=log)
        sys.exit(1)
    print("right", name, file=log)

while True:
    try:
        write() if what == "writer" else read()
    except OSError as e:
        print("error", e.errno, file=log)
        sys.exit(0 if e.errno in (5, 103, 107) else 1)  # EIO, ECONNABORTED, ENOTCONN
PY

# After "synced" that or anything begun since; before the first one anything whole, or nothing.
synced_is_there() {
	cat writer.* >all
	for name in w{1..4}.{0..3}; do
		awk -v name="$name" '$2 == name { if ($1 == "synced") n = 0; line[++n] = $3 } END { for (i = 1; i <= n; i++) print line[i] }' all >allowed
		[ -s allowed ] || continue
		synced=$(grep -c "^synced $name " all)
		[ -e "mnt/$name" ] || { [ "$synced" = 0 ] && continue; fail "$name is gone"; }
		sum=$(timeout 60 sha256sum <"mnt/$name" | cut -d' ' -f1)
		grep -qx "$sum" allowed || fail "$name: other bytes than what was synced last: $(grep " $name " all | tail -4)"
		checked=$((checked + 1))
	done
}

checked=0 kills=0
for ((round = 0; round < $(full 30 4); round++)); do
	start_rw
	pids=()
	for i in 1 2 3 4; do
		python3 load.py writer $i "$seed.$round" 2>>load.err &
		pids+=($!)
		python3 load.py reader $i "$seed.$round" 2>>load.err &
		pids+=($!)
	done
	sleep "1.$((RANDOM % 10))"
	kill_daemon
	kills=$((kills + 1))
	for pid in "${pids[@]}"; do
		ends() { ! kill -0 "$pid" 2>/dev/null; }
		retry 20 ends || fail "round $round: a process hangs"
		wait "$pid" || fail "round $round: $(grep -h '^wrong\|^error' reader.* writer.*) $(tail -3 load.err)"
	done
	start_rw
	synced_is_there
	rm -f mnt/.w*
	stop_daemon mnt
	is_tidy "round $round"
	every_container_verifies "round $round"
done
[ "$checked" -ge $((kills * 4)) ] || fail "only $checked files were looked at"
n_read=$(cat reader.* | grep -c ^right)
[ "$n_read" -ge $((kills * 4)) ] || fail "only $n_read reads"
start_rw
some_coded() { for f in store/w*; do is_coded "${f#store/}" && return; done; return 1; }
original_size=$(stat -c %s version.1)
retry 60 some_coded || fail "ingest does not go on"
stop_daemon mnt
echo "kills $kills, files held to what was synced $checked, reads $n_read"
faults_fired "$kills"
