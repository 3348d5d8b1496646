#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# many_opens: promise 9, descriptors by need: ten thousand handles of one file, and of a thousand files, cost little and are given back.
# test: timeout=240 nosan
. "$(dirname "$0")/common.sh"

given_pair
mkdir store/many
for ((i = 0; i < 1000; i++)); do cp store/tune/model.safetensors "store/many/$i"; done
start_daemon store mnt -o cache=16M
fds=$(descriptors) before=$(resident)
python3 - mnt orig/tune/model.safetensors "/proc/$(daemon_pid)/fd" <<'PY' || fail "ten thousand handles"
import os, resource, sys
mnt, original, fds = sys.argv[1], open(sys.argv[2], "rb").read(), sys.argv[3]
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 11000), hard))
n = min(hard, 11000) - 200
before = len(os.listdir(fds))
held = [os.open(os.path.join(mnt, "tune/model.safetensors"), os.O_RDONLY) for _ in range(n)]
print(n, "handles of one file:", len(os.listdir(fds)) - before, "descriptors of the daemon")
assert len(os.listdir(fds)) - before < 40
assert os.pread(held[n // 2], 5000, 77) == original[77:5077]
for fd in held:
    os.close(fd)
for name in range(1000):
    for again in range(10):
        with open(os.path.join(mnt, "many", str(name)), "rb", buffering=0) as file:
            if again == 0:
                assert file.read(3000) == original[:3000], name
PY
retry 20 eval '[ "$(descriptors)" -le $((fds + 4)) ]' || fail "descriptors: $fds, then $(descriptors)"
[ "$(resident)" -lt $((before + 40000)) ] || fail "memory: $before KiB, then $(resident)"
echo "resident $before KiB before, $(resident) after"
alive
stop_daemon mnt
