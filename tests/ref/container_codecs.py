# SPDX-License-Identifier: GPL-2.0-or-later
"""container_codecs: payloads back to bytes, section "CODECS" of deltafs-format(5)."""

import ctypes
import ctypes.util
import sys

from container_come import decode_come
from container_dct import decode_delta_dct
from container_entropy import Bits, Frequencies, Lanes
from container_errors import Unsupported, Wrong, must
from container_lossy import check_lossy, decode_bitdelta
from container_ultradelta import decode_ultradelta
from container_values import DTYPES, pack_values

CODEC_NAMES = {0: "copy", 1: "stored", 2: "zstd", 3: "diff", 4: "sparse", 5: "solo",
               16: "bitdelta", 17: "delta-dct", 18: "ultradelta", 19: "delta-come"}
FIRST_LOSSY = 16


class Block:
    """One chunk: n values from number first of a segment on, and their prediction (or None)."""

    def __init__(self, segment, first, n, prediction):
        self.segment, self.first, self.n, self.prediction = segment, first, n, prediction
        _, self.unit, self.exponent, self.mantissa = DTYPES[segment.dtype]
        self.drop = segment.drop
        self.width = 8 * self.unit - self.drop

    def pack(self, values):
        return pack_values(values, self.unit)


# Ordered differences

def order(y, width, is_float):
    if not is_float:
        return y
    top = 1 << (width - 1)
    return ~y & (2 * top - 1) if y & top else y + top


def unorder(place, width, is_float):
    if not is_float:
        return place
    top = 1 << (width - 1)
    return place - top if place & top else ~place & (2 * top - 1)


def apply_difference(u, prediction, block):
    d = u // 2 if u % 2 == 0 else -(u + 1) // 2
    is_float, width = block.exponent > 0, block.width
    place = order(prediction >> block.drop, width, is_float) + d
    return unorder(place & ((1 << width) - 1), width, is_float) << block.drop


# Tokens

def token_plain_bits(token):
    return 0 if token < 16 else (token - 8) // 2 - 1


def token_value(token, plain):
    if token < 16:
        return token
    k = token_plain_bits(token)
    return (2 + token % 2) << k | plain


# diff table, diff payload

class DiffTable:
    def __init__(self, data, segment):
        _, unit, exponent, _ = DTYPES[segment.dtype]
        width = 8 * unit - segment.drop
        must(width >= 5, "diff: values of less than 5 bits")
        bits = Bits(data)
        log, precision = bits.get(2) + 8, bits.get(3)
        n_tables, self.n_classes = bits.get(5) + 1, bits.get(4) + 1
        must(n_tables <= 30, "diff table: too many tables")
        self.top = bits.get(exponent)
        for _ in range(1, self.n_classes):
            must(bits.get(5) != 0, "diff table: class that begins at 0")
        if self.n_classes > 1:
            must(segment.cols >= 16, "diff table: classes without rows")
            self.classes = Frequencies(bits, 16, log, precision)
            must(not any(self.classes.of[self.n_classes:]), "diff table: unknown class")
        self.read_map(bits, n_tables, 16 if exponent else 1)
        self.tables = [Frequencies(bits, 2 * width + 8, log, precision) for _ in range(n_tables)]
        bits.end()

    def read_map(self, bits, n_tables, n_contexts):
        self.map = [[0] * n_contexts for _ in range(self.n_classes)]
        if n_tables == 1:
            return
        for row in self.map[1:] if self.n_classes > 1 else self.map:
            for context in range(n_contexts):
                if context and bits.get(1):
                    row[context] = row[context - 1]
                else:
                    row[context] = bits.get((n_tables - 1).bit_length())
                    must(row[context] < n_tables, "diff table: unknown table")

    def choose(self, row_class, prediction, block):
        context = 0
        if block.exponent:
            field = prediction >> block.mantissa & ((1 << block.exponent) - 1)
            context = min(max(self.top - field, 0), 15)
        return self.tables[self.map[row_class][context]]


def decode_diff(block, payload, table_bytes):
    table = DiffTable(table_bytes, block.segment)
    lanes = Lanes(payload, block.n)
    cols, first = block.segment.cols, block.first
    classes = None
    if table.n_classes > 1:
        rows = (first + block.n - 1) // cols - first // cols + 1
        classes = [lanes.symbol(r % lanes.lanes, table.classes) for r in range(rows)]

    def read_token(i, lane):
        row_class = classes[(first + i) // cols - first // cols] if classes else 0
        if classes and row_class == 0:
            return None
        return lanes.symbol(lane, table.choose(row_class, block.prediction[i], block))

    elements = lanes.elements(block.n, read_token, token_plain_bits)
    lanes.end()
    return block.pack([
        prediction if token is None else
        apply_difference(token_value(token, plain), prediction, block)
        for (token, plain), prediction in zip(elements, block.prediction)])


# sparse payload

def decode_sparse(block, payload, _):
    must(block.width >= 5, "sparse: values of less than 5 bits")
    bits = Bits(payload)
    g, fixed, u_order = bits.get(5), bits.get(1), bits.get(6)
    must(u_order <= 62, "sparse: order")
    values = list(block.prediction)
    at = 0
    for _ in range(bits.golomb(10, block.n)):
        zeros = 0
        while bits.get(1) == 0:
            zeros += 1
        at += (zeros << g) + bits.get(g)
        u = 1 + (bits.get(u_order) if fixed else bits.golomb(u_order, 1 << 64))
        must(at < block.n and u < 1 << block.width, "sparse: no such value")
        values[at] = apply_difference(u, values[at], block)
        at += 1
    bits.end()
    return block.pack(values)


# solo table, solo payload

def decode_solo(block, payload, table_bytes):
    width, n = block.width, block.n
    must(width >= 5 and (block.exponent or block.unit == 1), "solo: not for such values")
    bits = Bits(table_bytes)
    frequencies = Frequencies(bits, 1 << min(width, 8), 12, bits.get(3))
    bits.end()
    k = max(width - 8, 0)
    planes, j = k // 8, k % 8
    split = n * planes + (n * j + 7) // 8
    must(len(payload) >= split, "solo: payload too short")
    packed = Bits(payload[n * planes:split])
    rests = [sum(payload[p * n + i] << 8 * p for p in range(planes)) |
             packed.get(j) << 8 * planes for i in range(n)]
    packed.end()
    lanes = Lanes(payload[split:], n)
    symbols = [lanes.symbol(i % lanes.lanes, frequencies) for i in range(n)]
    lanes.end()
    if k == 0:
        return block.pack([symbol << block.drop for symbol in symbols])
    values = [rest >> (k - 1) << (width - 1) | symbol << (k - 1) | rest & ((1 << (k - 1)) - 1)
              for symbol, rest in zip(symbols, rests)]
    return block.pack([value << block.drop for value in values])


# copy payload, stored payload, zstd payload

def decode_copy(block, payload, _):
    must(len(payload) == 0, "copy: a payload")
    return block.pack(block.prediction)


def decode_stored(block, payload, _):
    must(len(payload) == block.n * block.unit, "stored: length of the payload")
    return payload


def load_zstd():
    path = ctypes.util.find_library("zstd")
    if path is None:
        sys.exit("libzstd is not installed")
    zstd = ctypes.CDLL(path)
    for function in (zstd.ZSTD_decompress, zstd.ZSTD_findFrameCompressedSize):
        function.restype = ctypes.c_size_t
    zstd.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t] * 2
    zstd.ZSTD_findFrameCompressedSize.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    zstd.ZSTD_isError.argtypes = [ctypes.c_size_t]
    return zstd


def decode_zstd(block, payload, _):
    zstd = load_zstd()
    size = block.n * block.unit
    must(payload[:4] == bytes.fromhex("28b52ffd") and len(payload) > 5, "zstd: not a frame of RFC 8878")
    must(payload[4] & 0x20 or payload[5] <= (27 - 10) << 3, "zstd: window")
    must(zstd.ZSTD_findFrameCompressedSize(payload, len(payload)) == len(payload),
         "zstd: not one frame")
    out = ctypes.create_string_buffer(size + 1)
    got = zstd.ZSTD_decompress(ctypes.cast(out, ctypes.c_char_p), size, payload, len(payload))
    must(not zstd.ZSTD_isError(got) and got == size, "zstd: frame does not decode to the chunk")
    return out.raw[:size]


DECODERS = {  # number: (function, needs a prediction, has a shared table)
    0: (decode_copy, True, False),
    1: (decode_stored, False, False),
    2: (decode_zstd, False, False),
    3: (decode_diff, True, True),
    4: (decode_sparse, True, False),
    5: (decode_solo, False, True),
    16: (decode_bitdelta, True, True),
    17: (decode_delta_dct, True, True),
    18: (decode_ultradelta, True, True),
    19: (decode_come, True, True),
}


def decode(codec, block, payload, table):
    if codec not in CODEC_NAMES:
        raise Wrong("no codec has the number %d" % codec)
    if codec not in DECODERS:
        raise Unsupported("codec " + CODEC_NAMES[codec])
    function, needs_prediction, needs_table = DECODERS[codec]
    must(block.prediction is not None or not needs_prediction,
         CODEC_NAMES[codec] + ": a segment without prediction")
    must(table is not None or not needs_table, CODEC_NAMES[codec] + ": no table")
    if codec >= FIRST_LOSSY:
        check_lossy(block)
    return function(block, payload, table)
