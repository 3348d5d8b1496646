#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# few_descriptors: promise 9: with 64 descriptors for the daemon, 200 readers of 100 files get bytes or EMFILE, and all comes back.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
mkdir store/many
for ((i = 0; i < 100; i++)); do cp store/tune/model.safetensors "store/many/$i"; done
DFS_WRAP="prlimit --nofile=64:64" start_daemon store mnt
fds=$(descriptors)
python3 - mnt/many orig/tune/model.safetensors <<'PY' || fail "a reader got other bytes"
import errno, os, sys
original = open(sys.argv[2], "rb").read()
allowed = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO}
children = []
for i in range(200):
    pid = os.fork()
    if pid == 0:
        got = 2
        try:
            with open(os.path.join(sys.argv[1], str(i % 100)), "rb") as file:
                got = 0 if file.read() == original else 1
        except OSError as error:
            got = 3 if error.errno in allowed else 4
        os._exit(got)
    children.append(pid)
results = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
print("right", results.count(0), "refused", results.count(3), "wrong", results.count(1), "other", len(results) - results.count(0) - results.count(3))
sys.exit(set(results) - {0, 3} != set())
PY
# Held open: far more files than descriptors.
python3 - mnt/many <<'PY' || fail "open files beyond the limit"
import errno, os, sys
held, refused = [], 0
for i in range(100):
    try:
        held.append(os.open(os.path.join(sys.argv[1], str(i)), os.O_RDONLY))
    except OSError as error:
        assert error.errno in (errno.EMFILE, errno.ENFILE), error
        refused += 1
print("held", len(held), "refused", refused)
assert held and refused
PY
retry 10 eval '[ "$(descriptors)" -le $((fds + 4)) ]' || fail "descriptors: $fds, then $(descriptors)"
retry 10 cmp -s mnt/many/99 orig/tune/model.safetensors || fail "does not recover: $(tail -3 "$log")"
alive
stop_daemon mnt
