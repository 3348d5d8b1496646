# SPDX-License-Identifier: GPL-2.0-or-later
"""container_entropy: how codecs write numbers and symbols: "Bit streams", "Frequencies" and "Lanes" of deltafs-format(5)."""

import struct

from container_errors import must


# Bit streams

class Bits:
    def __init__(self, data):
        self.data, self.at, self.left = data, 0, 8 * len(data)

    def get(self, n):
        must(n <= self.left, "bit stream ends too early")
        first, skip = self.at // 8, self.at % 8
        number = int.from_bytes(self.data[first:first + (skip + n + 7) // 8], "little")
        self.at += n
        self.left -= n
        return number >> skip & ((1 << n) - 1)

    def golomb(self, order, most):
        zeros = 0
        while self.get(1) == 0:
            zeros += 1
            must(zeros < 64, "exp-Golomb number too long")
        value = (1 << (zeros + order)) - (1 << order) + self.get(zeros + order)
        must(value <= most, "exp-Golomb number too large")
        return value

    def end(self):
        must(self.left < 8 and self.get(self.left) == 0, "bit stream: bits left over")


# Frequencies

class Frequencies:
    """slots[s] is (symbol, frequency, first slot) of slot s."""

    def __init__(self, bits, n, log, precision):
        of = [0] * n
        last = bits.get((n - 1).bit_length())
        rest = bits.get(last.bit_length())
        must(last < n and rest <= last, "frequencies: last or rest")
        length = 0
        for symbol in range(last + 1):
            if symbol == rest:
                continue
            folded = bits.golomb(0, 25)
            length += (folded + 1) // 2 if folded % 2 else -(folded // 2)
            must(0 <= length <= log, "frequencies: length")
            if length:
                kept = min(precision, length - 1)
                of[symbol] = (1 << kept | bits.get(kept)) << (length - 1 - kept)
        must(sum(of) < 1 << log, "frequencies: too many slots")
        of[rest] = (1 << log) - sum(of)
        self.of, self.log = of, log
        self.slots = []
        for symbol, f in enumerate(of):
            first = len(self.slots)
            self.slots += [(symbol, f, first)] * f


# Lanes

class Lanes:
    def __init__(self, payload, n):
        self.lanes = 32 if n >= 2048 else 4
        self.group = 16 if n >= 2048 else 4
        must(len(payload) >= 4 * self.lanes and len(payload) % 2 == 0, "lanes: payload length")
        self.x = list(struct.unpack_from("<%dI" % self.lanes, payload))
        must(min(self.x) >= 1 << 16, "lanes: state")
        self.words = struct.unpack_from("<%dH" % ((len(payload) - 4 * self.lanes) // 2), payload,
                                        4 * self.lanes)
        self.at = 0

    def refill(self, lane, x):
        if x < 1 << 16:
            must(self.at < len(self.words), "lanes: no words left")
            x = x << 16 | self.words[self.at]
            self.at += 1
        self.x[lane] = x

    def symbol(self, lane, frequencies):
        x, log = self.x[lane], frequencies.log
        slot = x & ((1 << log) - 1)
        symbol, f, first = frequencies.slots[slot]
        self.refill(lane, f * (x >> log) + slot - first)
        return symbol

    def plain(self, lane, k):
        x = self.x[lane]
        self.refill(lane, x >> k)
        return x & ((1 << k) - 1)

    def elements(self, n, read_symbol, plain_bits):
        """[(symbol, plain bits)] of n elements; read_symbol(i, lane) gives None for no symbol."""
        elements = []
        for start in range(0, n, self.group):
            group = range(start, min(start + self.group, n))
            symbols = [read_symbol(i, i % self.lanes) for i in group]
            counts = [0 if symbol is None else plain_bits(symbol) for symbol in symbols]
            plain = [0] * len(symbols)
            for place in (48, 32, 16, 0):
                for k, i in enumerate(group):
                    piece = min(max(counts[k] - place, 0), 16)
                    plain[k] |= self.plain(i % self.lanes, piece) << place
            elements += zip(symbols, plain)
        return elements

    def end(self):
        must(self.at == len(self.words) and set(self.x) == {1 << 16}, "lanes: not at their end")
