# SPDX-License-Identifier: GPL-2.0-or-later
"""container_bits: section "Bit streams" of deltafs-format(5)."""

from container_errors import must


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
