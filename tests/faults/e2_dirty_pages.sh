#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E2, E4: what a user wrote into a mapping and nobody has written out yet is never overwritten by what a thaw decodes, a publish replaces or a reader beside it pulls in.
# test: timeout=1200
. "$(dirname "$0")/common.sh"

make_base --params 1000000 --hidden 512 --vocab 1024 --seed 481
start_rw "cache=8M,quiet=1"
cp "$original" mnt/f && becomes_coded f
rounds=$(full 60 5)
timeout $((rounds * 15 + 60)) python3 - "$rounds" "$original" "$seed" <<'PY' || fail "a page was lost: $(tail -3 "$log")"
import mmap, os, random, sys, threading, time
threading.excepthook = lambda lost: (threading.__excepthook__(lost), os._exit(1))  # the others would go on
rounds, rng = int(sys.argv[1]), random.Random(int(sys.argv[3]))
want = bytearray(open(sys.argv[2], "rb").read())
size, name, stored = len(want), "mnt/f", "store/f"
pages = size // 4096
first = (8 + int.from_bytes(want[:8], "little")) // 4096 + 1 # not the header, without which nobody compresses it

def is_coded():
    return os.stat(stored).st_size < size // 2

def reader(stop, mine):
    """Everything around the dirty pages, cold again and again; a page that nobody writes must be right."""
    fd = os.open(name, os.O_RDONLY)
    rng = random.Random(mine)
    while not stop.is_set():
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        at = rng.randrange(pages) * 4096
        os.pread(fd, 1 << 20, at)
    os.close(fd)

def writer(fd, stop, errors, own):
    """Dirties its pages by the mapping, in an order of its own, and looks at once and later."""
    rng = random.Random(own[0])
    with mmap.mmap(fd, 0) as m:
        for page in own:
            at = page * 4096 + rng.randrange(4000)
            new = rng.randbytes(rng.randrange(1, 96))
            m[at:at + len(new)] = new
            want[at:at + len(new)] = new
            if m[page * 4096:page * 4096 + 4096] != want[page * 4096:page * 4096 + 4096]:
                errors.append(("at once", page))
            if rng.random() < 0.1:
                time.sleep(0.001)
        for page in own:
            if m[page * 4096:page * 4096 + 4096] != want[page * 4096:page * 4096 + 4096]:
                errors.append(("later", page))

dirtied = coded = 0
for i in range(rounds):
    end = time.monotonic() + 60
    while not is_coded():
        assert time.monotonic() < end, "it is not compressed again"
        time.sleep(0.02)
    coded += 1
    stop, errors = threading.Event(), []
    fd = os.open(name, os.O_RDWR)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    readers = [threading.Thread(target=reader, args=(stop, i * 8 + k)) for k in range(4)]
    mine = rng.sample(range(first, pages), min(400, pages // 2))
    writers = [threading.Thread(target=writer, args=(fd, stop, errors, mine[k::4])) for k in range(4)]
    for t in readers + writers:
        t.start()
    for t in writers:
        t.join()
    # As it is closed: what is dirty still is, while it comes to rest and is compressed.
    os.close(fd)
    shown = open(name, "rb").read()
    if shown != bytes(want):
        errors.append(("read", next(p for p in range(pages + 1) if shown[p * 4096:p * 4096 + 4096] != want[p * 4096:p * 4096 + 4096])))
    if i % 2:
        os.sync()
    stop.set()
    for t in readers:
        t.join()
    assert not errors, f"round {i}: {errors[:5]}"
    dirtied += len(mine)
open("want", "wb").write(want)
open("dirtied", "w").write(str(dirtied))
PY
becomes_coded f 60
evict mnt/f
cmp mnt/f want || fail "other bytes once it is compressed"
stop_daemon mnt
start_rw
cmp mnt/f want || fail "other bytes after a remount"
stop_daemon mnt
every_container_verifies "in the end"
is_tidy "in the end"
faults_fired "$(cat dirtied)" $((rounds * 100)) # dirty pages
