#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# direct: what is written to a large file goes past the page cache of the store; whatever is mixed with it, each byte is there
# test: timeout=300 tsan
. "$(dirname "$0")/common.sh"

# cached FILE: bytes of it in memory.
cached() { pages_cached "$1" 0; }

# takes_direct: whether the file system here does.
takes_direct() { dd if=/dev/zero of=probe bs=1M count=1 oflag=direct conv=notrunc status=none 2>/dev/null; }

mkdir -p store mnt
for options in rw,noingest rw,noingest,nowriteback; do
	start_daemon store mnt -o $options
	# --- a copy, and what it leaves in memory
	head -c 50000001 /dev/urandom >data
	dd if=data of=mnt/copy bs=2M conv=fsync status=none || fail "$options: cp"
	# Without O_DIRECT, or cachestat(2), there is nothing to see, and the copy is right all the same.
	if takes_direct && in_memory=$(cached store/copy); then
		[ "$in_memory" -lt 50000001 ] || fail "$options: $in_memory bytes of 50000001 are in memory"
	fi
	cmp data store/copy && cmp data mnt/copy || fail "$options: a copy differs"

	# --- writes of all kinds at once, by several processes, each in its part of one file, against a copy in memory
	seed=${DFS_SEED:-$RANDOM}
	echo "seed $seed"
	python3 - mnt/mixed store/mixed "$seed" <<'PY' || fail "$options: seed $seed"
import mmap, os, random, sys
shown, kept, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
PART, PARTS, PAGE, MIB = 24 << 20, 4, 4096, 1 << 20
fd = os.open(shown, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
os.ftruncate(fd, PART * PARTS)


def aligned(rng):
    size = rng.randrange(128, 3 * 256) * PAGE
    return rng.randrange((PART - size) // PAGE) * PAGE, size


def part(k):
    rng = random.Random(seed * PARTS + k)
    model, base = bytearray(PART), k * PART
    own = os.open(shown, os.O_RDWR)
    direct = os.open(shown, os.O_RDWR | os.O_DIRECT)
    mapped = mmap.mmap(own, PART, offset=base)
    for _ in range(40):
        what = rng.choice(["write", "write", "write", "direct", "odd", "map", "sync", "read", "hole"])
        at, size = aligned(rng)
        if what in ("odd", "read"):
            at, size = at + rng.randrange(PAGE), size - PAGE - rng.randrange(PAGE)
        data = rng.randbytes(size)
        if what in ("write", "odd"):
            assert os.pwrite(own, data, base + at) == size
        elif what == "direct":
            buf = mmap.mmap(-1, size)
            buf[:] = data
            assert os.pwrite(direct, buf, base + at) == size
        elif what == "map":
            mapped[at:at + size] = data
        elif what == "sync":
            os.fsync(own)
            continue
        elif what == "hole":
            import ctypes
            libc = ctypes.CDLL(None, use_errno=True)
            os.fsync(own)
            if libc.fallocate(own, 3, ctypes.c_int64(base + at), ctypes.c_int64(size)) != 0:
                assert ctypes.get_errno() == 95, ctypes.get_errno()	# EOPNOTSUPP
                continue
            data = bytes(size)
        else:
            assert os.pread(own, size, base + at) == model[at:at + size], (k, at, size)
            continue
        model[at:at + size] = data
    mapped.flush()
    os.fsync(own)
    for path in shown, kept:
        with open(path, "rb") as f:
            f.seek(base)
            there = f.read(PART)
        assert there == model, (path, k, next(i for i in range(PART) if there[i] != model[i]))


children = []
for k in range(PARTS):
    pid = os.fork()
    if pid == 0:
        try:
            part(k)
            os._exit(0)
        except BaseException as error:
            print(f"part {k}: {type(error).__name__}: {error}", file=sys.stderr)
            os._exit(1)
    children.append(pid)
sys.exit(any([os.waitpid(pid, 0)[1] for pid in children]))
PY
	stop_daemon mnt
	rm -f store/*
done

# --- a write that is cut short: what was not written is not said to be
limit=$(((24 << 20) + (100 << 10)))
(ulimit -f $((limit >> 10)) && exec deltafs -f -o rw,noingest store mnt) 2>log &
daemon=$!
retry 30 is_mounted mnt || fail "deltafs with a limit: $(cat log)"
head -c $((25 << 20)) /dev/urandom >data
python3 - data mnt/cut <<'PY' || fail "a write that was cut short"
import errno, os, sys
data = open(sys.argv[1], "rb").read()
fd = os.open(sys.argv[2], os.O_RDWR | os.O_CREAT)
assert os.write(fd, data) == len(data)
try:
    os.fsync(fd)
except OSError as error:
    assert error.errno == errno.EFBIG, error
else:
    raise SystemExit("fsync(2) of what does not fit is successful")
PY
cmp -n "$limit" data store/cut || fail "what fits is not there"
umount mnt 2>/dev/null || fusermount3 -u mnt
wait "$daemon" || fail "the daemon with a limit: $(cat log)"
