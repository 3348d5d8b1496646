#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tiny_cache: promises 2 and 9: a cache of 1 MiB, thirty-two readers at random places: right bytes in bounded memory.
# test: timeout=240 nosan
. "$(dirname "$0")/common.sh"

make_store --params 4000000 --hidden 512 --vocab 2048 --seed 3
start_daemon store mnt -o cache=1M
python3 - mnt/tune/model.safetensors orig/tune/model.safetensors <<'PY' || fail "a reader got other bytes"
import os, random, sys
original = open(sys.argv[2], "rb").read()
children = []
for i in range(32):
    pid = os.fork()
    if pid == 0:
        rng = random.Random(i)
        fd = os.open(sys.argv[1], os.O_RDONLY | (os.O_DIRECT if i % 4 == 0 else 0))
        for _ in range(60):
            n = 1 << rng.randrange(12, 21)
            at = rng.randrange(0, len(original)) & ~4095
            if i % 4 == 0:
                import mmap
                room = mmap.mmap(-1, n)
                got = room[:os.preadv(fd, [room], at)]
            else:
                got = os.pread(fd, n, at)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            if got != original[at:at + n]:
                os._exit(1)
        os._exit(0)
    children.append(pid)
sys.exit(any(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children))
PY
[ "$(peak)" -lt $(((1 + 64) * 1024)) ] || fail "$(peak) KiB of memory with cache=1M"
echo "peak $(peak) KiB"
alive
stop_daemon mnt
