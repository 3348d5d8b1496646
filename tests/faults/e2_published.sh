#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E2: a file is compressed and thawed under handles, mappings and O_DIRECT readers: same bytes, number, size and times.
# test: timeout=1200
. "$(dirname "$0")/common.sh"

make_base --params 300000 --hidden 256 --vocab 512 --seed 231
start_rw
cp "$original" mnt/f
rounds=$(full 200 12)
python3 - "$rounds" "$original" "$seed" <<'PY' || fail "under open handles: $(tail -3 "$log")"
import mmap, os, random, sys, threading, time
threading.excepthook = lambda lost: (threading.__excepthook__(lost), os._exit(1))  # the others would go on
rounds, rng = int(sys.argv[1]), random.Random(int(sys.argv[3]))
want = bytearray(open(sys.argv[2], "rb").read())
size = len(want)
header = 8 + int.from_bytes(want[:8], "little") # without it, nobody compresses it
name, stored = "mnt/f", "store/f"
handle = os.open(name, os.O_RDONLY)
direct = os.open(name, os.O_RDONLY | os.O_DIRECT)
mapped = mmap.mmap(handle, 0, mmap.MAP_SHARED, mmap.PROT_READ)
page = mmap.mmap(-1, 65536)
number = os.fstat(handle).st_ino

def all_read():
    at = rng.randrange(size // 65536) * 65536
    n = os.preadv(direct, [page], at)
    return [os.pread(handle, size, 0), mapped[:], page[:n]], [want, want, want[at:at + n]]

def check(when, times):
    for got, expected in zip(*all_read()):
        assert got == bytes(expected), f"{when}: other bytes"
    for st in os.fstat(handle), os.fstat(direct), os.stat(name):
        assert st.st_ino == number, f"{when}: number {st.st_ino}, was {number}"
        assert st.st_size == size, f"{when}: size {st.st_size}"
        now = st.st_mtime_ns, st.st_ctime_ns, st.st_mode, st.st_uid, st.st_nlink
        assert times is None or now == times, f"{when}: {now}, was {times}"
    return now

published = 0
for i in range(rounds):
    # a change of a sector: it becomes plain (the first time it is)
    at = rng.randrange(header, size - 512)
    new = rng.randbytes(rng.randrange(1, 512))
    with open(name, "r+b", buffering=0) as f:
        f.seek(at)
        f.write(new)
        want[at:at + len(new)] = new
        os.fsync(f.fileno())
    times = check(f"round {i}, written", None)
    end = time.monotonic() + 60
    while os.stat(stored).st_size > size // 2:
        check(f"round {i}, on its way", times)
        assert time.monotonic() < end, "never compressed"
    check(f"round {i}, compressed", times)
    published += 1
    if i % 3 == 0:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        check(f"round {i}, cold", times)
assert published == rounds
print("published", published, "times under the same handles")
open("want", "wb").write(want)
PY
cmp mnt/f want || fail "other bytes in the end"
stop_daemon mnt
start_rw
cmp mnt/f want || fail "other bytes after a remount"
stop_daemon mnt
is_tidy "in the end"
every_container_verifies "in the end"
faults_fired "$rounds"
