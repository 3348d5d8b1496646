#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# unseen_base: the first read never waits for a base to be hashed: the first tensor comes after less than 16 MiB of it.
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"

make_store --params 30000000 --hidden 1024 --vocab 4096 --seed 181
# Another place, so that nothing remembered of the base is true any more.
mkdir moved && cp -a store moved/ && rm -rf store
pin=$(find moved/store/.deltafs/pins -type f)
[ "$(stat -c %s "$pin")" -gt $((50 << 20)) ] || fail "the base is too small to tell"
sync -f moved
evict "$pin" moved/store/tune/model.safetensors
start_daemon moved/store mnt
python3 - mnt/tune/model.safetensors orig/tune/model.safetensors <<'PY' || fail "the first tensor is wrong"
import json, sys
shown, original = open(sys.argv[1], "rb", buffering=0), open(sys.argv[2], "rb")
header = json.loads(original.read(int.from_bytes(original.read(8), "little")))
header.pop("__metadata__", None)
begin, end = min((t["data_offsets"] for t in header.values() if t["data_offsets"][1] - t["data_offsets"][0] < 4 << 20))
at = original.tell() + begin
original.seek(at)
shown.seek(at)
sys.exit(shown.read(end - begin) != original.read(end - begin))
PY
resident=$("$DFS_BUILD/tests/bench/readfile" resident "$pin" | sed 's/.*resident_pages":\([0-9]*\).*/\1/')
[ "$resident" -gt 0 ] || fail "nothing of the base was read: the test proves nothing"
[ "$resident" -lt 4096 ] || fail "$((resident * 4 >> 10)) MiB of the base were read for one tensor"
echo "$((resident * 4)) KiB of $(($(stat -c %s "$pin") >> 10)) KiB"
cmp mnt/tune/model.safetensors orig/tune/model.safetensors || fail "wrong bytes"
stop_daemon mnt
