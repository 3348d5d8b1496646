# SPDX-License-Identifier: GPL-2.0-or-later
"""container_ultradelta: the codec of this name, "ultradelta table" and what follows it in deltafs-format(5)."""

import struct

from container_entropy import Bits, Frequencies, Lanes
from container_errors import must
from container_values import add_difference


class Table:
    def __init__(self, data):
        must(len(data) >= 40, "ultradelta table: length")
        (self.mask, self.bits, self.coded, zero, self.number, self.key,
         self.keep) = struct.unpack_from("<BBBBIQI", data)
        must(self.mask <= 1 and 2 <= self.bits <= 8 and self.coded <= 1 and zero == 0,
             "ultradelta table: head")
        end = 40 + (4 << self.bits)
        must(len(data) >= end, "ultradelta table: levels")
        self.levels = struct.unpack_from("<%dI" % (1 << self.bits), data, 40)
        must(all(level & 0x7fffffff <= 0x7e000000 for level in self.levels),
             "ultradelta table: a level is too large")
        if self.coded:
            bits = Bits(data[end:])
            precision = bits.get(3)
            self.frequencies = Frequencies(bits, 1 << self.bits, min(self.bits + 6, 12), precision)
            bits.end()
        else:
            must(len(data) == end, "ultradelta table: bytes left over")


# Random words

def philox(key, counter):
    k, c = list(key), list(counter)
    for _ in range(10):
        a, b = 0xd2511f53 * c[0], 0xcd9e8d57 * c[2]
        c = [b >> 32 ^ c[1] ^ k[0], b & 0xffffffff, a >> 32 ^ c[3] ^ k[1], a & 0xffffffff]
        k = [(k[0] + 0x9e3779b9) & 0xffffffff, (k[1] + 0xbb67ae85) & 0xffffffff]
    return c


def random_word(table, stream, number):
    counter = number // 4
    words = philox((table.key & 0xffffffff, table.key >> 32),
                   (counter & 0xffffffff, counter >> 32, table.number, stream))
    return words[number % 4]


# ultradelta places

def seeded_places(block, table):
    first, n = block.first, block.n
    before = first * table.keep >> 32
    kept = ((first + n) * table.keep >> 32) - before
    turn = random_word(table, 1, first) * n >> 32
    places = []
    for i in range(kept):
        low, high = i * n // kept, (i + 1) * n // kept
        place = low + (random_word(table, 0, before + i) * (high - low) >> 32)
        places.append((place + turn) % n)
    return places


def stored_places(block, payload):
    """The places, and the rest of the payload."""
    bits = Bits(payload)
    kept, order = bits.get(block.n.bit_length()), bits.get(5)
    must(kept <= block.n and order <= 24, "ultradelta places: head")
    places, place = [], -1
    for _ in range(kept):
        zeros = 0
        while bits.get(1) == 0:
            zeros += 1
        place += 1 + (zeros << order) + bits.get(order)
        must(place < block.n, "ultradelta places: outside the chunk")
        places.append(place)
    must(bits.get(-bits.at % 8) == 0, "ultradelta places: bits left over")
    return places, payload[bits.at // 8:]


# ultradelta codes

def read_codes(table, payload, n):
    plain = (n * table.bits + 7) // 8
    if len(payload) == plain:
        bits = Bits(payload)
        codes = [bits.get(table.bits) for _ in range(n)]
        bits.end()
        return codes
    must(table.coded and len(payload) < plain, "ultradelta codes: length")
    lanes = Lanes(payload, n)
    codes = [lanes.symbol(i % lanes.lanes, table.frequencies) for i in range(n)]
    lanes.end()
    return codes


def decode_ultradelta(block, payload, table_bytes):
    table = Table(table_bytes)
    if table.mask == 0:
        places = seeded_places(block, table)
    else:
        places, payload = stored_places(block, payload)
    values = list(block.prediction)
    for place, code in zip(places, read_codes(table, payload, len(places))):
        values[place] = add_difference(values[place], block.segment.dtype, table.levels[code])
    return block.pack(values)
