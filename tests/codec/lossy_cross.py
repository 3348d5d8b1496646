#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""lossy_cross: the reader written from deltafs-format(5) decodes what lossy_cross.c wrote, bit for bit.

    lossy_cross.py FILE...
"""

import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ref"))
sys.dont_write_bytecode = True

from container_codecs import Block, decode  # noqa: E402
from container_values import DTYPES, unpack_values  # noqa: E402


class Segment:
    drop = 0
    chunk_rows = 0


def check(data, at):
    codec, dtype, rows, cols, first, n, table_len, payload_len = struct.unpack_from("<8Q", data, at)
    unit = DTYPES[dtype][1]
    segment = Segment()
    segment.dtype, segment.cols, segment.len, segment.unit = dtype, cols, rows * cols * unit, unit
    parts, at = [], at + 64
    for length in (table_len, payload_len, n * unit, n * unit):
        parts.append(data[at:at + length])
        at += length
    table, payload, prediction, want = parts
    block = Block(segment, first, n, unpack_values(prediction, unit))
    if decode(codec, block, payload, table) != want:
        sys.exit("codec %d, dtype %d, %d x %d, chunk at %d: decoded otherwise" % (codec, dtype, rows, cols, first))
    return at


def main():
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            data = file.read()
        at = 0
        while at < len(data):
            at = check(data, at)


main()
