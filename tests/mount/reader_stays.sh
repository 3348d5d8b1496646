#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# reader_stays: who opens a file the moment its writer closes it, and keeps it open, does not keep it from being compressed
# test: timeout=300
. "$(dirname "$0")/common.sh"

make_store --params 500000 --hidden 128 --seed 5
start_daemon store mnt -o rw,quiet=0
python3 - orig/tune/model.safetensors mnt <<'PY' || fail "kept from being compressed by who reads"
import os, sys, time
data, mnt = open(sys.argv[1], "rb").read(), sys.argv[2]
kept = {}
for i in range(150):
    path = f"{mnt}/{i}.safetensors"
    with open(path, "wb") as f:
        f.write(data)
    # The kernel tells the daemon of the close while this goes on.
    time.sleep(i % 10 * 3e-5)
    kept[path] = os.open(path, os.O_RDONLY)
# What was still being closed when it was looked at is looked at again after five seconds, then ten.
end = time.monotonic() + 60
plain = set(kept)
while plain and time.monotonic() < end:
    plain = {path for path in plain if os.stat(path).st_blocks * 512 > len(data) * 0.9}
    time.sleep(0.2)
if plain:
    path = min(plain)
    raise SystemExit(f"{len(plain)} of {len(kept)} are plain, {path}: {os.getxattr(path, 'user.deltafs.reason').decode()}")
for path, fd in kept.items():
    assert os.pread(fd, len(data), 0) == data, path
PY
stop_daemon mnt
