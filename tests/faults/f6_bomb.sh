#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# F6: a container that claims a terabyte: opens at once, reads in bounded memory, shows only what its segments tile.
# test: timeout=300 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"

# A sparse terabyte cannot be encoded in a test; a sparse gigabyte of zeros is the same kind of bomb.
mkdir store mnt orig
truncate -s 1G orig/zeros
"$DFS_BUILD/tests/tools/make_pair" --params 10000 pair >/dev/null
cp -r pair/base store/ && deltafsctl base add store store/base >/dev/null || fail "base add"
deltafsctl encode orig/zeros -o store/zeros || fail "encode"
stored=$(stat -c %s store/zeros)
[ "$stored" -lt $((1 << 20)) ] || fail "1 GiB of zeros takes $stored bytes"

# The same, with the terabyte only claimed: size and hashes right, segments for a gigabyte.
python3 - store/zeros store/claimed <<'PY'
import ctypes, ctypes.util, struct, sys
xxh = ctypes.CDLL(ctypes.util.find_library("xxhash"))
xxh.XXH3_64bits.restype = ctypes.c_uint64
data = bytearray(open(sys.argv[1], "rb").read())
for sb in (0, len(data) - 256):
    struct.pack_into("<Q", data, sb + 40, 1 << 40)
    for at, end in ((56, 56), (248, 248)):
        struct.pack_into("<Q", data, sb + at, xxh.XXH3_64bits(bytes(data[sb:sb + end]), ctypes.c_size_t(end)))
open(sys.argv[2], "wb").write(data)
PY
start_daemon store mnt -o cache=32M
pid=$(daemon_pid)
timeout 60 cmp mnt/zeros orig/zeros || fail "wrong bytes"
expect_fail any 'Input/output error' timeout 20 head -c 4096 mnt/claimed
peak=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status")
[ "$peak" -lt $(((32 + 64) * 1024)) ] || fail "$peak KiB of memory"
echo "ratio $(((1 << 30) / stored)), peak $peak KiB"
stop_daemon mnt
faults_fired 2
