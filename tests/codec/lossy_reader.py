#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""lossy_reader: decodes the cases of lossy_cases with tests/ref, written from deltafs-format(5).

    lossy_reader.py FILE
"""

import os
import struct
import sys
from types import SimpleNamespace

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ref"))
from container_codecs import Block, decode  # noqa: E402
from container_errors import Wrong  # noqa: E402
from container_values import DTYPES, unpack_values  # noqa: E402


def parts(f):
    while True:
        head = f.read(4)
        if not head:
            return
        yield f.read(struct.unpack("<I", head)[0])


def must_refuse(codec, block, payload, table, what):
    try:
        decode(codec, block, payload, table)
    except Wrong:
        return
    sys.exit("lossy_reader: %s is not refused" % what)


def read_case(f, head):
    codec, dtype, rows, cols, chunk = struct.unpack("<IIQQQ", head)
    table, predictions, want = (next(parts(f)) for _ in range(3))
    unit = DTYPES[dtype][1]
    segment = SimpleNamespace(dtype=dtype, drop=0, rows=rows, cols=cols)
    for first in range(0, rows * cols, chunk):
        n = min(chunk, rows * cols - first)
        at = slice(first * unit, (first + n) * unit)
        block = Block(segment, first, n, unpack_values(predictions[at], unit))
        payload = next(parts(f))
        if decode(codec, block, payload, table) != want[at]:
            sys.exit("lossy_reader: codec %d, %d x %d: other values from number %d on" % (codec, rows, cols, first))
    must_refuse(codec, block, payload[:-1], table, "a payload that is cut")
    must_refuse(codec, block, payload + b"\0", table, "a payload that is longer")
    must_refuse(codec, block, payload, table[:-1], "a table that is cut")


def main():
    n = 0
    with open(sys.argv[1], "rb") as f:
        while head := f.read(32):
            read_case(f, head)
            n += 1
    print("lossy_reader: %d tensors read" % n)


main()
