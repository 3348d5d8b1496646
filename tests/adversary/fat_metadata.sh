#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fat_metadata: promise 9, bounded memory: forty containers of 19 MiB of metadata each are opened, and asked about, at once.
# test: timeout=120 nosan
. "$(dirname "$0")/common.sh"

given_pair
# 600,000 chunks of a byte; their hashes are wrong, which nobody finds out who reads none.
python3 - store/fat <<'PY' || fail "no container"
import sys
from surgery import stored
n = 600000
container = stored(b"", [])
container.size, container.payloads = n, bytearray(n)
container.segments.append(dict(
    off=0, len=n, cols=1, first_chunk=0, n_chunks=n, first_piece=0, n_pieces=0, first_table=0, n_tables=0, chunk_rows=1,
    kind=0, dtype=0, drop=0, predictor=0, params_off=0, params_len=0, reserved=0))
container.chunks.extend(dict(off=256 + i, len=1, codec=1, reserved=bytes(3), payload_hash=7, decoded_hash=7) for i in range(n))
with open(sys.argv[1], "wb") as file:
    file.write(container.pack())
PY
[ "$(meta len store/fat)" -gt $((18 << 20)) ] || fail "that is not fat"
for ((i = 0; i < 40; i++)); do cp store/fat store/fat$i; done
start_daemon store mnt -o cache=128M
python3 - mnt orig/tune/model.safetensors <<'PY' || fail "opening or asking"
import errno, os, sys, threading
mnt, original = sys.argv[1], open(sys.argv[2], "rb").read()
told, refused = [], []
def ask(i):
    try:
        told.append(os.getxattr(f"{mnt}/fat{i}", "user.deltafs.codec"))
    except OSError as error:
        refused.append(error.errno)
threads = [threading.Thread(target=ask, args=(i,)) for i in range(40)]
[t.start() for t in threads]
[t.join() for t in threads]
assert told and set(told) == {b"stored"} and set(refused) <= {errno.ENOMEM}, (told, refused)
held = []
for i in range(40):
    try:
        held.append(os.open(f"{mnt}/fat{i}", os.O_RDONLY))
    except OSError as error:
        refused.append(error.errno)
print("open", len(held), "refused", refused.count(errno.ENOMEM))
assert held and refused and set(refused) == {errno.ENOMEM}
# Others are read meanwhile.
assert open(f"{mnt}/tune/model.safetensors", "rb").read() == original
for fd in held:
    os.close(fd)
PY
grep -q 'KiB needs a larger cache (-o cache=), or fewer open files' "$log" || fail "the log says: $(tail -3 "$log")"
[ "$(peak)" -lt $(((128 + 64) * 1024)) ] || fail "$(peak) KiB of memory"
echo "peak $(peak) KiB"
again() { head -c0 mnt/fat39 && [ "$(getfattr --only-values -n user.deltafs.codec mnt/fat39 2>/dev/null)" = stored ]; }
retry 10 again || fail "what was closed goes on to count"
alive
stop_daemon mnt
