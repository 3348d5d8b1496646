#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# memory: an encode holds less than 300 MiB, however large the file is and however many threads work;
# and what the container says about the file is less than a thousandth of it.
# test: timeout=900 serial nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"

# Mostly zeros, with a little of everything in between: 1 GiB, or 4 with --full.
gib=1
[ -z "$DFS_FULL" ] || gib=4
python3 - "$gib" <<'PY' || fail "making the pair"
import json, os, struct, sys
tensors, rows, cols = 8, int(sys.argv[1]) * (1 << 30) // 2 // 8 // 8192, 8192
size = rows * cols * 2
header = json.dumps({f"layers.{i}.weight": {"dtype": "BF16", "shape": [rows, cols],
                     "data_offsets": [i * size, (i + 1) * size]} for i in range(tensors)}).encode()
header += b" " * (-len(header) % 8)
for name, shift in ("base", 0), ("tune", 1):
    with open(name + ".safetensors", "wb") as f:
        f.write(struct.pack("<Q", len(header)) + header)
        start = f.tell()
        f.truncate(start + tensors * size)
        noise = os.urandom(1 << 20)
        for at in range(shift << 19, tensors * size, 16 << 20):
            f.seek(start + at)
            f.write(noise)
PY
for threads in 2 64; do
	mib=$(peak deltafsctl encode --threads $threads --base base.safetensors tune.safetensors -o coded) || fail "$(cat said)"
	echo "$threads threads: $mib MiB for $gib GiB"
	[ "$mib" -lt 300 ] || fail "$threads threads: $mib MiB"
done
python3 - <<'PY' || fail "metadata"
import os, struct
with open("coded", "rb") as f:
    meta_len = struct.unpack("<Q", f.read(256)[80:88])[0] # deltafs-format(5), SUPERBLOCK
share = meta_len / os.path.getsize("tune.safetensors")
print(f"metadata: {meta_len} bytes, {share:.3%}")
raise SystemExit(not 0 < share < 0.001)
PY
mib=$(peak deltafsctl decode --base base.safetensors coded -o back) || fail "$(cat said)"
echo "decode: $mib MiB"
[ "$mib" -lt 400 ] || fail "decode: $mib MiB"
same tune.safetensors back
