# SPDX-License-Identifier: GPL-2.0-or-later
"""container_lossy: codecs that give up bits, sections "Codecs that give up bits" and on of deltafs-format(5)."""

import struct

from container_entropy import Bits
from container_errors import must
from container_values import DTYPES, F32, add_difference, nearest

def check_lossy(block):
    """Which segments the codecs that give up bits are for."""
    must(DTYPES[block.segment.dtype][0] in ("BF16", "F16", "F32") and block.drop == 0 and
         block.segment.cols, "codec that gives up bits: not for such values")


def decode_bitdelta(block, payload, table):
    cols, n = block.segment.cols, block.n
    must(len(table) >= 4, "bitdelta table: too short")
    what, k, exponent, reserved = struct.unpack_from("<BBbB", table)
    must(what <= 2 and 1 <= k <= 8 and -125 <= exponent <= 107 and reserved == 0, "bitdelta table")
    units = (1, block.segment.len // block.unit // cols, cols)[what]
    must(len(table) == 4 + 2 * k * units, "bitdelta table: length")
    halves = struct.unpack_from("<%dH" % (k * units), table, 4)
    must(max(halves) < 0x7c00, "bitdelta table: scale")
    scales = [f16_times(half, exponent) for half in halves]
    size = (n + 7) // 8
    must(len(payload) == k * size, "bitdelta: length of the payload")
    differences = None
    for r in range(k):
        bits = Bits(payload[r * size:(r + 1) * size])
        terms = []
        for v in range(block.first, block.first + n):
            scale = scales[r * units + (0, v // cols, v % cols)[what]]
            terms.append(scale | bits.get(1) << 31)
        bits.end()
        differences = [add_difference(d, F32, term) for d, term in zip(differences, terms)] if r else terms
    return block.pack([add_difference(prediction, block.segment.dtype, d)
                       for prediction, d in zip(block.prediction, differences)])


def f16_times(half, exponent):
    """A positive F16 times 2^exponent, as an F32."""
    field = half >> 10
    return nearest(half & 0x3ff | (0x400 if field else 0), (field or 1) - 25 + exponent, F32)
