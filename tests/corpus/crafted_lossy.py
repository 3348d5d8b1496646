# SPDX-License-Identifier: GPL-2.0-or-later
"""crafted_lossy: good containers of codecs that give up bits, of a few values each, with all that a table may hold.

Rows as in crafted.py. Each chooses what the table and the payload say, writes
that down, and works out from it, not from the bytes, what it stands for. Some
predictions are -0, which shows the sign of a difference that is zero.
"""

import functools
import math
import random
import struct

from container_values import DTYPES, add_difference, pack_values
from crafted import bits, to_bytes
from lossy import f32
from models import NUMBER, make_main, recast, safetensors, to_bits, to_number
from read_container import h128
from surgery import stored


@functools.lru_cache(1)
def main_base():
    return safetensors(make_main()), make_main()[0]


def predict(dtype, n, zeros):
    """Pieces of the base, and what they predict: values of its first tensor, but -0 at some places."""
    data, first = main_base()
    unit = DTYPES[NUMBER[dtype]][1]
    start, minus_zero = 8 + struct.unpack_from("<Q", data)[0], data.index(0x80)
    pieces = []
    for i in range(n):
        if i in zeros:
            pieces.append(dict(len=unit, base_off=minus_zero, base=0, dtype=NUMBER["F8_E4M3"]))
        elif i == 0 or i - 1 in zeros:
            pieces.append(dict(len=unit, base_off=start + 2 * i, base=0, dtype=NUMBER["BF16"]))
        else:
            pieces[-1]["len"] += unit
    values = recast(first, dtype)[3]
    return pieces, [1 << (8 * unit - 1) if i in zeros else values[i] for i in range(n)]


def over_main(dtype, cols, zeros, codec, table, payload, differences, rows_of_chunk=0):
    """One segment of one chunk; differences are numbers, or None where a value is its prediction."""
    pieces, predictions = predict(dtype, len(differences), zeros)
    shown = pack_values([p if d is None else add_difference(p, NUMBER[dtype], to_bits(d, "F32"))
                         for p, d in zip(predictions, differences)], DTYPES[NUMBER[dtype]][1])
    data, _ = main_base()
    base = dict(hash=h128(data), size=len(data), model=bytes(16), name_off=0, name_len=0, origin_off=1,
                origin_len=0, reserved=0)
    segment = dict(len=len(shown), kind=1, dtype=NUMBER[dtype], predictor=1, cols=cols, chunk_rows=rows_of_chunk,
                   pieces=pieces, tables=[(codec, table)], chunks=[(payload, codec, len(shown))])
    return stored(shown, [segment], [base]).pack(), shown


def bitdelta(_):
    """Scales of 0 with either sign, the smallest and the largest F16."""
    rng, cols, rows, exponent = random.Random(60), 7, 6, -20
    scales = [[0, 1, 0x3ff, 0x3c00, 0x7bff, 0, 0x0400], [0, 0x3c00, 0, 0x0002, 0x7800, 0, 0x0400]]
    signs = [[rng.getrandbits(1) for _ in range(rows * cols)] for _ in scales]
    terms = [[math.ldexp(-1.0 if sign else 1.0, exponent) * to_number(scale[i % cols], "F16")
              for i, sign in enumerate(of_round)] for scale, of_round in zip(scales, signs)]
    table = struct.pack("<BBbB14H", 2, 2, exponent, 0, *scales[0], *scales[1])
    payload = b"".join(to_bytes("".join(map(str, of_round))) for of_round in signs)
    return over_main("F16", cols, range(0, 42, 5), 16, table, payload, [f32(a + b) for a, b in zip(*terms)])


def ultradelta(_):
    """Levels of both zeros, the largest and subnormal ones; gaps with and without zero bits."""
    rng, n = random.Random(61), 50
    levels = [0.0, -0.0, 2.0 ** 125, -2.0 ** 125, 2.0 ** -149, -0.01, 0.02, 1.5]
    codes = {place: rng.randrange(8) for place in sorted(rng.sample(range(n), 20)) + [48, 49]}
    gaps = [b - a - 1 for a, b in zip([-1] + sorted(codes), sorted(codes))]
    table = struct.pack("<BBBBIQIfdd8f", 1, 3, 0, 0, 0, 0, 0, 1.0, 0.0, 0.0, *levels)
    payload = to_bytes(bits(len(codes), 6) + bits(1, 5) + "".join("0" * (gap >> 1) + "1" + bits(gap & 1, 1) for gap in gaps))
    payload += to_bytes("".join(bits(codes[place], 3) for place in sorted(codes)))
    return over_main("BF16", 10, range(0, n, 3), 18, table, payload,
                     [levels[codes[i]] if i in codes else None for i in range(n)])


def delta_dct(_):
    """Three patches: all coefficients -0; all 0; a mean. Each begins with a prediction of -0."""
    cols, low, high, mean = 24, (128, 0), 228, 5
    table = struct.pack("<BBBBfffBB", 3, 1, 1, 2, 1.0, 2.0 ** -10, 1.0, 2, 0)
    payload = bytes([0b100, low[0], high, low[1], high, mean]) + bytes(2 * 16)
    # the high bound is negative, so that a code of 0 adds -0 to the low one, which makes -0 of -0 alone
    row = [-0.0] + [0.0] * 15 + [mean * 2.0 ** -10] * 8
    return over_main("BF16", cols, (0, 8, 16), 17, table, payload, row + ([0.0] * 16 + row[16:]) * 7, 8)


FINE, MIDDLE, COARSE, GROUP = 1, 3, 3, 2
BITS = [8] * FINE + [3] * MIDDLE + [2] * COARSE


def come_row(rng):
    """A factor row as bytes, and its numbers."""
    scales = [rng.choice([0, 1, 248, 249, 255, rng.randrange(200, 256)]) for _ in range(4)]
    steps = [(8 + c % 8) * 2.0 ** ((c >> 3) - 35) if c else 0.0 for c in scales]
    codes = [rng.randrange(1 << b) for b in BITS]
    row = [float(codes[0] - 256 if codes[0] > 127 else codes[0])]
    row += [(2 * codes[k] - 7) * steps[(k - 1) // GROUP] for k in (1, 2, 3)]
    row += [(2 * codes[k] - 3) * steps[2 + (k - 4) // GROUP] for k in (4, 5, 6)]
    return bytes(scales) + to_bytes("".join(bits(code, b) for code, b in zip(codes, BITS))), row


def delta_come(_):
    """Scales and s of 0 among the others; groups that are cut short."""
    rng, cols, rows = random.Random(62), 5, 6
    s = [f32(x) for x in (1e-4, 0.0, 0.3, 1e-6, 2.0 ** -149, 0.01, 0.02)]
    v, u = ([come_row(rng) for _ in range(n)] for n in (cols, rows))
    differences = []
    for _, left in u:
        for _, right in v:
            d = 0.0
            for a, scale, b in zip(left, s, right):
                d = f32(d + f32(f32(a * scale) * b))
            differences.append(d)
    table = struct.pack("<4H7f", GROUP, FINE, MIDDLE, COARSE, *s) + b"".join(row for row, _ in v)
    return over_main("F32", cols, range(0, 30, 4), 19, table, b"".join(row for row, _ in u), differences, rows)


def delta_come_nothing(_):
    return over_main("BF16", 5, range(0, 30, 4), 19, struct.pack("<4H", 2, 0, 0, 0), b"", [0.0] * 30, 6)


CRAFTED_LOSSY = [
    ("bitdelta-tiny", "bitdelta, F16 over bf16: 42 values, scales up to the largest, sums of zeros", "main", bitdelta),
    ("delta-dct-zeros", "delta-dct, bf16: one-byte bounds of both zeros", "main", delta_dct),
    ("ultradelta-tiny", "ultradelta, bf16: 50 values at stored places, levels up to the largest", "main", ultradelta),
    ("delta-come-tiny", "delta-come, F32 over bf16: 30 values, all kinds of columns", "main", delta_come),
    ("delta-come-nothing", "delta-come, bf16: no columns, so that differences are zero", "main", delta_come_nothing),
]
