#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_delta_come: the reader made from the page, arm64 and a big-endian CPU decode what this one wrote
# test: timeout=600 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/codec/common.sh"
need python3

"$DFS_BUILD/tests/codec/come_sample" write samples.bin >log 2>&1 || {
	grep -q OpenBLAS log && skip "$(cat log)"
	fail "$(cat log)"
}
"$DFS_BUILD/tests/codec/come_sample" read samples.bin || exit 1

python3 - "$DFS_SRC/tests/ref" samples.bin <<'PY' || exit 1
import struct
import sys
from types import SimpleNamespace

sys.path.insert(0, sys.argv[1])
from container_codecs import Block, decode
from container_values import unpack_values

data, at, cases = open(sys.argv[2], "rb").read(), 0, 0
while at < len(data):
    dtype, rows, cols, chunk_rows, unit, *lengths = struct.unpack_from("<9I", data, at)
    table_len, payloads_len, row_len, values_len = lengths
    at += 36
    parts = []
    for length in (table_len, payloads_len, values_len, values_len):
        parts.append(data[at:at + length])
        at += length
    table, payloads, prediction, want = parts
    prediction = unpack_values(prediction, unit)
    segment = SimpleNamespace(dtype=dtype, drop=0, cols=cols, rows=rows)
    got = b""
    for row in range(0, rows, chunk_rows):
        n = min(chunk_rows, rows - row)
        block = Block(segment, row * cols, n * cols, prediction[row * cols:(row + n) * cols])
        got += decode(19, block, payloads[row * row_len:(row + n) * row_len], table)
    assert got == want, f"case {cases}: decodes to something else"
    cases += 1
assert cases == 5, cases
PY

reads() { "$@" read samples.bin; }
on_foreign reads come come_sample drive samples
