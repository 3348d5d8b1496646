#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""lossy_reader: decodes what lossy_cases wrote with tests/ref, written from deltafs-format(5).

    lossy_reader.py FILE
"""

import os
import struct
import sys
from types import SimpleNamespace

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ref"))
sys.dont_write_bytecode = True
from container_codecs import Block, decode  # noqa: E402
from container_errors import Wrong  # noqa: E402
from container_values import DTYPES, unpack_values  # noqa: E402


def part(f):
    return f.read(struct.unpack("<I", f.read(4))[0])


def must_refuse(codec, block, payload, table, what):
    try:
        decode(codec, block, payload, table)
    except Wrong:
        return
    sys.exit("lossy_reader: codec %d: %s is not refused" % (codec, what))


def read_tensor(f, head):
    codec, dtype, rows, cols, chunks = struct.unpack("<IIQQQ", head)
    table, predictions, want = (part(f) for _ in range(3))
    unit = DTYPES[dtype][1]
    segment = SimpleNamespace(dtype=dtype, drop=0, rows=rows, cols=cols, len=rows * cols * unit, unit=unit, chunk_rows=0)
    first = 0
    for _ in range(chunks):
        n, = struct.unpack("<Q", f.read(8))
        payload = part(f)
        at = slice(first * unit, (first + n) * unit)
        block = Block(segment, first, n, unpack_values(predictions[at], unit))
        if decode(codec, block, payload, table) != want[at]:
            sys.exit("lossy_reader: codec %d, %d x %d: other values from number %d on" % (codec, rows, cols, first))
        first += n
    if payload:
        must_refuse(codec, block, payload[:-1], table, "a payload that is cut")
    must_refuse(codec, block, payload + b"\0", table, "a payload that is longer")
    must_refuse(codec, block, payload, table[:-1], "a table that is cut")


def main():
    n = 0
    with open(sys.argv[1], "rb") as f:
        while head := f.read(32):
            read_tensor(f, head)
            n += 1
    print("%d tensors" % n)


main()
