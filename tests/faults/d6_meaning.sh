#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# D6: metadata whose hashes are right and whose meaning is wrong: EIO, in bounded memory and time.
# test: timeout=600
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"

make_store --params 60000 --hidden 64 --vocab 128 --seed 111
original=orig/tune/model.safetensors
mkdir store/odd
# 400 containers, each with one field of its metadata set to an extreme value.
python3 - store/tune/model.safetensors store/odd "$seed" <<'PY'
import ctypes, ctypes.util, random, struct, sys
xxh = ctypes.CDLL(ctypes.util.find_library("xxhash"))
class Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]
xxh.XXH3_64bits.restype = ctypes.c_uint64
xxh.XXH3_128bits.restype = Hash128
def hash64(data):
    return xxh.XXH3_64bits(bytes(data), ctypes.c_size_t(len(data)))
def hash128(data):
    h = xxh.XXH3_128bits(bytes(data), ctypes.c_size_t(len(data)))
    return struct.pack(">QQ", h.high, h.low)
good = open(sys.argv[1], "rb").read()
off, length = struct.unpack_from("<QQ", good, 72)
rng = random.Random(int(sys.argv[3]))
values = [0, 1, 0xff, 0xffff, 0x7fffffff, 0xffffffff, 1 << 40, (1 << 63) - 1, (1 << 64) - 1]
for i in range(400):
    data = bytearray(good)
    at = off + (i * 8 if i * 8 < min(length - 8, 1200) else rng.randrange(length - 8))
    size, fmt = rng.choice([(8, "<Q"), (4, "<I"), (1, "<B")])
    struct.pack_into(fmt, data, at, rng.choice(values) & ((1 << 8 * size) - 1))
    for sb in (0, len(data) - 256):
        data[sb + 88:sb + 104] = hash128(data[off:off + length])
        struct.pack_into("<Q", data, sb + 248, hash64(data[sb:sb + 248]))
    open(f"{sys.argv[2]}/{i}.safetensors", "wb").write(data)
PY
start_daemon store mnt -o cache=32M
pid=$(daemon_pid)
refusals=0
for file in store/odd/*.safetensors; do
	timeout 30 cat "mnt/odd/${file##*/}" >out 2>/dev/null && status=0 || status=$?
	[ "$status" != 124 ] || fail "$file: takes more than 30 s"
	if [ "$status" = 0 ]; then
		cmp -s out "$original" || fail "$file: wrong bytes"
	else
		refusals=$((refusals + 1))
	fi
	kill -0 "$daemon" || fail "$file killed the daemon"
done
cmp mnt/tune/model.safetensors "$original" || fail "the neighbour suffers"
peak=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status")
[ -n "$DFS_SAN" ] || [ "$peak" -lt $(((32 + 64) * 1024)) ] || fail "$peak KiB of memory"
echo "400 tried, peak $peak KiB"
stop_daemon mnt
faults_fired "$refusals" 101
