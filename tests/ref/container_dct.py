# SPDX-License-Identifier: GPL-2.0-or-later
"""container_dct: the sections "delta-dct ..." of deltafs-format(5)."""

import math
import struct

from container_errors import must
from container_f32 import add_differences, f16_value, f32, f32_of_bits, rounded

LEVELS = {
    1: [8192],
    2: [3709, 12373],
    3: [2008, 6193, 11009, 17629],
    4: [1052, 3179, 5380, 7720, 10291, 13255, 16949, 22385],
    5: [540, 1622, 2715, 3823, 4956, 6121, 7328, 8592, 9927, 11357, 12912, 14641, 16619, 18987,
        22046, 26712],
    6: [274, 821, 1370, 1922, 2476, 3033, 3596, 4164, 4739, 5322, 5914, 6516, 7131, 7759, 8403,
        9064, 9746, 10451, 11183, 11946, 12745, 13587, 14480, 15434, 16463, 17587, 18833,
        20245, 21891, 23899, 26546, 30672],
    7: [138, 414, 690, 966, 1242, 1519, 1797, 2075, 2354, 2634, 2915, 3198, 3481, 3766, 4052,
        4340, 4630, 4922, 5216, 5512, 5810, 6112, 6415, 6722, 7032, 7346, 7663, 7984, 8309,
        8639, 8973, 9312, 9657, 10007, 10364, 10728, 11098, 11477, 11863, 12259, 12664, 13080,
        13508, 13948, 14402, 14872, 15358, 15863, 16389, 16938, 17514, 18121, 18762, 19445,
        20175, 20964, 21823, 22770, 23831, 25045, 26476, 28241, 30597, 34322],
    8: [69, 208, 346, 484, 623, 761, 900, 1039, 1178, 1317, 1456, 1595, 1734, 1874, 2013, 2153,
        2293, 2434, 2574, 2715, 2856, 2997, 3139, 3281, 3423, 3566, 3709, 3852, 3996, 4140,
        4285, 4430, 4575, 4721, 4868, 5015, 5163, 5311, 5459, 5609, 5759, 5909, 6061, 6213,
        6365, 6519, 6673, 6828, 6984, 7140, 7298, 7456, 7615, 7776, 7937, 8099, 8263, 8427,
        8593, 8760, 8928, 9097, 9268, 9440, 9613, 9788, 9964, 10142, 10322, 10503, 10686,
        10870, 11057, 11245, 11436, 11628, 11823, 12020, 12219, 12421, 12625, 12832, 13042,
        13254, 13470, 13689, 13911, 14136, 14365, 14598, 14835, 15077, 15322, 15572, 15828,
        16088, 16354, 16626, 16904, 17189, 17481, 17780, 18088, 18404, 18730, 19066, 19413,
        19772, 20144, 20530, 20933, 21353, 21792, 22254, 22740, 23255, 23802, 24387, 25016,
        25699, 26448, 27278, 28214, 29291, 30570, 32159, 34297, 37712],
}


def level(bits, code):
    half = 1 << (bits - 1)
    return LEVELS[bits][code - half] / 8192 if code >= half else -LEVELS[bits][half - 1 - code] / 8192


def octaves(k):
    return math.ldexp(f32(2 ** (-(k % 16) / 16)), -(k // 16))


def cosines(p):
    return [[f32(math.sqrt((2 if k else 1) / p) * math.cos(math.pi * (2 * i + 1) * k / (2 * p)))
             for i in range(p)] for k in range(p)]


class Table:
    def __init__(self, data):
        must(len(data) >= 16, "delta-dct table: too short")
        log, levels, self.number, n = data[:4]
        must(3 <= log <= 6 and levels <= 1 and 1 <= self.number <= 2 and 1 <= n <= 8,
             "delta-dct table: head")
        must(len(data) == 16 + n, "delta-dct table: length")
        self.p, self.minmax, self.bits = 1 << log, levels == 1, list(data[16:])
        must(self.bits[0] <= 8 and all(a > b for a, b in zip(self.bits, self.bits[1:])),
             "delta-dct table: classes")
        self.gain_unit, self.mean_unit, self.scale = (
            f32_of_bits(bits) for bits in struct.unpack_from("<3I", data, 4))
        must(0 <= self.gain_unit <= 2.0 ** 80 and 0 <= self.mean_unit <= 2.0 ** 80 and
             0 <= self.scale <= 65536, "delta-dct table: unit or scale")
        self.cosines = cosines(self.p)

    def one_byte(self, c, what):
        if what == "mean":
            return c - 256 if c > 127 else c
        if what == "gain":
            return octaves(255 - c) if c else 0
        value = octaves(254 - 2 * (c % 128)) if c % 128 else 0.0
        return -value if c > 127 else value

    def value(self, raw, what):
        if self.number == 1:
            number = self.one_byte(raw[0], what)
        else:
            bits = int.from_bytes(raw, "little")
            must(bits & 0x7c00 != 0x7c00, "delta-dct: number that is not finite")
            number = f16_value(bits)
        return f32(f32(number * (self.mean_unit if what == "mean" else self.gain_unit)) * self.scale)


def products(left, right):
    """[i][m]: the sum of left[k][i] * right[k][m] over k."""
    rows = []
    for i in range(len(left)):
        total = rounded(left[0][i] * x for x in right[0])
        for k in range(1, len(left)):
            added = rounded(left[k][i] * x for x in right[k])
            total = rounded(a + b for a, b in zip(total, added))
        rows.append(total)
    return rows


def coded_patch(table, bits, numbers, codes):
    p = table.p
    stream = int.from_bytes(codes, "little")
    codes = [stream >> i * bits & ((1 << bits) - 1) for i in range(p * p)]
    if table.minmax:
        low, high = numbers
        step = f32(f32(high - low) / ((1 << bits) - 1))
        meant = [f32(low + f32(step * c)) for c in range(1 << bits)]
    else:
        meant = [f32(0.0 + f32(numbers[0] * level(bits, c))) for c in range(1 << bits)]
    coefficients = [[meant[c] for c in codes[k * p:k * p + p]] for k in range(p)]
    half = products(table.cosines, coefficients)
    return products([list(column) for column in zip(*half)], table.cosines)


class Payload:
    def __init__(self, table, n_patches, payload):
        width = (len(table.bits) - 1).bit_length()
        at = (n_patches * width + 7) // 8
        must(len(payload) >= at, "delta-dct: no room for the map")
        stream = int.from_bytes(payload[:at], "little")
        must(stream >> n_patches * width == 0, "delta-dct: bits behind the map")
        self.classes = [stream >> i * width & ((1 << width) - 1) for i in range(n_patches)]
        must(max(self.classes) < len(table.bits), "delta-dct: unknown class")
        self.table, self.payload, self.numbers, self.codes = table, payload, [], []
        for c, bits in enumerate(table.bits):
            self.numbers.append(at)
            at += self.classes.count(c) * self.numbers_len(bits)
        for c, bits in enumerate(table.bits):
            self.codes.append(at)
            at += self.classes.count(c) * self.codes_len(bits)
        must(at == len(payload), "delta-dct: length of the payload")

    def numbers_len(self, bits):
        return self.table.number * (2 if bits and self.table.minmax else 1)

    def codes_len(self, bits):
        return self.table.p ** 2 * bits // 8

    def take(self, starts, c, length):
        starts[c] += length
        return self.payload[starts[c] - length:starts[c]]

    def patches(self):
        for c in self.classes:
            table, bits = self.table, self.table.bits[c]
            what = "mean" if not bits else "bound" if table.minmax else "gain"
            raw = self.take(self.numbers, c, self.numbers_len(bits))
            numbers = [table.value(raw[i:i + table.number], what)
                       for i in range(0, len(raw), table.number)]
            codes = self.take(self.codes, c, self.codes_len(bits))
            yield coded_patch(table, bits, numbers, codes) if bits else \
                [numbers * table.p] * table.p


def decode_delta_dct(block, payload, table_bytes):
    table, cols = Table(table_bytes), block.segment.cols
    must(block.first % cols == 0 and block.n % cols == 0, "delta-dct: chunk that is no rows")
    rows, across = block.n // cols, -(-cols // table.p)
    patches = list(Payload(table, across * -(-rows // table.p), payload).patches())
    differences = []
    for row in range(rows):
        strip = patches[row // table.p * across:][:across]
        differences += [x for patch in strip for x in patch[row % table.p]][:cols]
    return add_differences(block, differences)
