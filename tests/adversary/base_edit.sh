#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# base_edit: promise 2, never a wrong byte: the base is edited in place, its mtime put back, while eight readers read.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
pin=$(find store/.deltafs/pins -type f)
# A small cache, so that chunks are decoded again and again.
start_daemon store mnt -o cache=1M
hammer_start 6 mnt/tune/model.safetensors orig/tune/model.safetensors
python3 - "$pin" <<'PY'
import os, random, sys, time
stat = os.stat(sys.argv[1])
fd = os.open(sys.argv[1], os.O_RDWR)
rng = random.Random(1)
end = time.monotonic() + 5
while time.monotonic() < end:
    places = [rng.randrange(stat.st_size) for _ in range(200)]
    good = [os.pread(fd, 1, at) for at in places]
    for at, byte in zip(places, good):
        os.pwrite(fd, bytes([byte[0] ^ 0x41]), at)
    os.utime(sys.argv[1], ns=(stat.st_atime_ns, stat.st_mtime_ns))
    time.sleep(0.2)
    for at, byte in zip(places, good):
        os.pwrite(fd, byte, at)
    os.utime(sys.argv[1], ns=(stat.st_atime_ns, stat.st_mtime_ns))
    time.sleep(0.2)
PY
hammer_end
[ "$refused" -gt 0 ] || fail "no read met the edit: this proves nothing"
cmp "$pin" orig/base/model.safetensors || fail "the script did not put the base back"
healed() { evict mnt/tune/model.safetensors; cmp -s mnt/tune/model.safetensors orig/tune/model.safetensors; }
retry 10 healed || fail "does not heal: $(tail -3 "$log")"
alive
stop_daemon mnt
