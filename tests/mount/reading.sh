#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# reading: by every call there is, at every kind of offset, the bytes are those of the file
# test: tsan
. "$(dirname "$0")/common.sh"

make_store --params 1500000 --seed 10
start_daemon store mnt
for f in tune base; do
	python3 - "orig/$f/model.safetensors" "mnt/$f/model.safetensors" <<'PY' || fail "$f"
import errno, mmap, os, random, sys

want = open(sys.argv[1], "rb").read()
fd = os.open(sys.argv[2], os.O_RDONLY)
size = len(want)
rng = random.Random(5)

def check(what, off, got, asked):
    if got != want[off:off + asked]:
        sys.exit(f"{what}: {asked} bytes at {off}: {len(got)} bytes, wrong")

for asked in (1, 511, 4096, 4097, 131072, 131073, 1 << 20, size, size + 5):
    for off in (0, 1, 8, 4095, 131071, 131072, size // 2, size - 1, size, size + 1):
        check("pread", off, os.pread(fd, asked, off), asked)
for _ in range(300):
    off, asked = rng.randrange(size), rng.randrange(300000)
    check("pread", off, os.pread(fd, asked, off), asked)

direct = os.open(sys.argv[2], os.O_RDONLY | os.O_DIRECT)
for _ in range(60):
    off, asked = rng.randrange(size) // 4096 * 4096, rng.randrange(1, 600) * 4096
    buf = mmap.mmap(-1, asked)
    got = os.preadv(direct, [buf], off)
    check("O_DIRECT", off, buf[:got], asked)
    if got != min(asked, size - off):
        sys.exit(f"O_DIRECT: {got} bytes at {off}, not {min(asked, size - off)}")

for flags in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
    with mmap.mmap(fd, 0, flags, mmap.PROT_READ) as m:
        check("mmap", 0, m[:], size)
with mmap.mmap(fd, 0, mmap.MAP_PRIVATE, mmap.PROT_READ) as m:
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    m.madvise(mmap.MADV_RANDOM)
    for page in rng.sample(range(size // 4096), 200):
        check("MADV_RANDOM", page * 4096, m[page * 4096:page * 4096 + 4096], 4096)

# All of it is data, and nothing else can be sought.
if os.lseek(fd, 5, os.SEEK_DATA) != 5 or os.lseek(fd, 5, os.SEEK_HOLE) != size:
    sys.exit("SEEK_DATA, SEEK_HOLE")
try:
    os.lseek(fd, size, os.SEEK_DATA)
    sys.exit("SEEK_DATA at the end")
except OSError as e:
    if e.errno != errno.ENXIO:
        sys.exit(f"SEEK_DATA at the end: {e}")
PY
done
# Copies by tools that look for holes, by sendfile and by splice.
cp --sparse=always mnt/tune/model.safetensors copy && cmp copy orig/tune/model.safetensors || fail "cp --sparse"
python3 -c 'import shutil; shutil.copyfile("mnt/tune/model.safetensors", "copy")' && cmp copy orig/tune/model.safetensors || fail "sendfile"
tar -C mnt -cSf - tune | tar -xOf - tune/model.safetensors | cmp - orig/tune/model.safetensors || fail "tar -S"
[ "$(status failures)" = 0 ] || fail "$(status failures) chunks failed"
stop_daemon mnt
