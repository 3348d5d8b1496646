# SPDX-License-Identifier: GPL-2.0-or-later
"""container_come: the codec delta-come, sections "delta-come table" and "payload" of deltafs-format(5)."""

import struct

from container_errors import must
from container_f32 import add_difference, f32

LARGEST_S = 2.0 ** 90


class Factors:
    """How the rows of U and V are written."""

    def __init__(self, group, fine, middle, coarse):
        self.bits = [8] * fine + [3] * middle + [2] * coarse
        self.rank = len(self.bits)
        middle_groups = -(-middle // group)
        self.scales = middle_groups + -(-coarse // group)
        # the scale of each column; none for the fine ones
        self.scale_of = [None] * fine + [k // group for k in range(middle)] + \
            [middle_groups + k // group for k in range(coarse)]
        self.row_len = self.scales + (sum(self.bits) + 7) // 8

    def row(self, data):
        """A factor row as floats, all of which are F32 too."""
        scales = [(8 + c % 8) * 2.0 ** ((c >> 3) - 35) if c else 0.0 for c in data[:self.scales]]
        codes = int.from_bytes(data[self.scales:], "little")
        values = []
        for bits, scale in zip(self.bits, self.scale_of):
            code = codes & ((1 << bits) - 1)
            codes >>= bits
            if scale is None:
                values.append(float(code - 256 if code >= 128 else code))
            else:
                values.append((2 * code - ((1 << bits) - 1)) * scales[scale])
        must(codes == 0, "delta-come: bits behind the last code of a row")
        return values

    def rows(self, data, n):
        must(len(data) == n * self.row_len, "delta-come: length of the factor rows")
        return [self.row(data[i * self.row_len:(i + 1) * self.row_len]) for i in range(n)]


class ComeTable:
    def __init__(self, data, cols):
        must(len(data) >= 8, "delta-come table: length")
        group, *columns = struct.unpack_from("<4H", data)
        must(group > 0, "delta-come table: group")
        self.factors = Factors(group, *columns)
        end = 8 + 4 * self.factors.rank
        must(len(data) >= end, "delta-come table: length")
        bits = struct.unpack_from("<%dI" % self.factors.rank, data, 8)
        self.s = struct.unpack_from("<%df" % self.factors.rank, data, 8)
        must(all(b >> 31 == 0 and s < LARGEST_S for b, s in zip(bits, self.s)), "delta-come table: s")
        self.v = self.factors.rows(data[end:], cols)


def differences(table, u):
    """Those of one row of the chunk, u its factor row."""
    scaled = [f32(a * s) for a, s in zip(u, table.s)]
    row = []
    for v in table.v:
        d = 0.0
        # a product of two F32 is exact as a double, and a sum of two rounds twice without harm
        for a, b in zip(scaled, v):
            d = f32(d + f32(a * b))
        row.append(d)
    return row


def decode_come(block, payload, table_bytes):
    cols = block.segment.cols
    must(block.first % cols == 0 and block.n % cols == 0, "delta-come: a chunk that is not whole rows")
    table = ComeTable(table_bytes, cols)
    values = []
    for u in table.factors.rows(payload, block.n // cols):
        at = len(values)
        values += [add_difference(prediction, d, block.segment.dtype) for prediction, d in
                   zip(block.prediction[at:at + cols], differences(table, u))]
    return block.pack(values)
