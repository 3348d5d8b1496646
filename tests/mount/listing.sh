#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# listing: a large directory is read whole, from any place in it, and while it changes; direct reads begin anywhere
# test: userns
. "$(dirname "$0")/common.sh"

make_store --params 300000 --seed 23
mkdir store/many
for ((i = 0; i < 3000; i++)); do : >"store/many/file-$i"; done
start_daemon store mnt

python3 - mnt/many <<'END' || fail "telldir, seekdir"
import ctypes, os, random, sys

class Entry(ctypes.Structure):
    _fields_ = [("ino", ctypes.c_uint64), ("off", ctypes.c_int64), ("len", ctypes.c_ushort),
                ("type", ctypes.c_ubyte), ("name", ctypes.c_char * 256)]

libc = ctypes.CDLL(None, use_errno=True)
libc.opendir.restype = ctypes.c_void_p
libc.readdir.restype = ctypes.POINTER(Entry)
libc.telldir.restype = ctypes.c_long
libc.readdir.argtypes = libc.telldir.argtypes = [ctypes.c_void_p]
libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]

listing = libc.opendir(sys.argv[1].encode())
places = []
while True:
    at = libc.telldir(listing)
    entry = libc.readdir(listing)
    if not entry:
        break
    places.append((at, entry.contents.name))
names = [name for _, name in places]
wanted = {b".", b".."} | {b"file-%d" % i for i in range(3000)}
assert len(names) == len(set(names)) and set(names) == wanted, f"{len(names)} names"
for i in random.Random(23).sample(range(len(places)), 300):
    libc.seekdir(listing, places[i][0])
    for j in range(i, min(i + 3, len(places))):
        name = libc.readdir(listing).contents.name
        assert name == names[j], f"{name} at place {j}, where {names[j]} was"
END

# Names that stay are shown once each, whatever comes and goes meanwhile.
python3 - mnt/many store/many <<'END' || fail "a directory that changes"
import os, sys
shown, store = sys.argv[1:]
seen = []
with os.scandir(shown) as entries:
    for n, entry in enumerate(entries):
        seen.append(entry.name)
        if n % 10 == 0 and n < 3000:
            os.unlink(f"{store}/file-{n}")
            open(f"{store}/new-{n}", "w").close()
stay = [f"file-{i}" for i in range(3000) if i % 10]
assert [name for name in stay if seen.count(name) != 1] == []
END

python3 - mnt/tune/model.safetensors orig/tune/model.safetensors <<'END' || fail "O_DIRECT"
import mmap, os, random, sys
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECT)
original = open(sys.argv[2], "rb").read()
room = mmap.mmap(-1, 1 << 20)
draw = random.Random(24)
for _ in range(200):
    off, length = draw.randrange(len(original) + 5000), draw.randrange(1, 1 << 20)
    got = os.preadv(fd, [memoryview(room)[:length]], off)
    assert room[:got] == original[off:off + length], f"{length} bytes at {off}"
END
stop_daemon mnt
