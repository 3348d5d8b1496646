# SPDX-License-Identifier: GPL-2.0-or-later
"""container_values: numbers and predictions, as deltafs-format(5) defines them.

Values are handled as Python integers that hold their bits.
"""

import math
import struct
from fractions import Fraction

from container_errors import Wrong, Unsupported, must

# DTYPES: name, unit, bits of exponent, bits of mantissa

DTYPES = [
    ("bytes", 1, 0, 0), ("BOOL", 1, 0, 0), ("F4", 1, 0, 0), ("F6_E2M3", 1, 0, 0),
    ("F6_E3M2", 1, 0, 0), ("U8", 1, 0, 0), ("I8", 1, 0, 0), ("F8_E5M2", 1, 5, 2),
    ("F8_E4M3", 1, 4, 3), ("F8_E8M0", 1, 0, 0), ("F8_E4M3FNUZ", 1, 4, 3),
    ("F8_E5M2FNUZ", 1, 5, 2), ("I16", 2, 0, 0), ("U16", 2, 0, 0), ("F16", 2, 5, 10),
    ("BF16", 2, 8, 7), ("I32", 4, 0, 0), ("U32", 4, 0, 0), ("F32", 4, 8, 23),
    ("C64", 4, 8, 23), ("F64", 8, 11, 52), ("I64", 8, 0, 0), ("U64", 8, 0, 0),
]
CONVERTIBLE = ("F8_E5M2", "F8_E4M3", "F16", "BF16", "F32", "F64")


def unpack_values(raw, unit):
    return [int.from_bytes(raw[i:i + unit], "little") for i in range(0, len(raw), unit)]


def pack_values(values, unit):
    return b"".join(value.to_bytes(unit, "little") for value in values)


# CONVERSION

def round_shift(number, shift):
    """number / 2^shift to the nearest integer, ties to even."""
    if shift <= 0:
        return number << -shift
    quotient, rest = number >> shift, number & ((1 << shift) - 1)
    half = 1 << (shift - 1)
    return quotient + (rest > half or (rest == half and quotient & 1))


def convert_value(bits, source, target):
    """One value from dtype number to dtype number, which are different."""
    _, _, exponent, mantissa = DTYPES[source]
    name, _, to_exponent, to_mantissa = DTYPES[target]
    sign = bits >> (exponent + mantissa) << (to_exponent + to_mantissa)
    field = bits >> mantissa & ((1 << exponent) - 1)
    low = bits & ((1 << mantissa) - 1)
    ones = (1 << (to_exponent + to_mantissa)) - 1
    infinity = ones - ((1 << to_mantissa) - 1)
    finite_only = name == "F8_E4M3"
    if field == (1 << exponent) - 1 and (DTYPES[source][0] != "F8_E4M3" or low == 7):
        if low == 0:
            return sign | (ones - 1 if finite_only else infinity)
        if finite_only:
            return sign | ones
        low = low << to_mantissa >> mantissa
        return sign | infinity | (low or 1 << (to_mantissa - 1))
    # the value is number * 2^power
    number = low | (1 << mantissa if field else 0)
    power = (field or 1) - ((1 << (exponent - 1)) - 1) - mantissa
    return sign | nearest(number, power, target)


def nearest(number, power, target):
    """number * 2^power, which is not negative, in dtype number target."""
    name, _, exponent, mantissa = DTYPES[target]
    if number == 0:
        return 0
    bias = (1 << (exponent - 1)) - 1
    # its exponent field in the target, and the power of a unit in its last place there
    field = max(power + number.bit_length() - 1 + bias, 1)
    unit_power = field - bias - mantissa
    magnitude = ((field - 1) << mantissa) + round_shift(number, unit_power - power)
    ones = (1 << (exponent + mantissa)) - 1
    return min(magnitude, ones - 1 if name == "F8_E4M3" else ones - ((1 << mantissa) - 1))


def round_low(bits, dtype, drop):
    """The low bits of one value rounded away."""
    _, _, exponent, mantissa = DTYPES[dtype]
    magnitude = bits & ((1 << (exponent + mantissa)) - 1)
    sign = bits - magnitude
    infinity = ((1 << exponent) - 1) << mantissa
    if magnitude >= infinity:
        cut = magnitude >> drop << drop
        if magnitude > infinity and cut == infinity:
            cut |= 1 << (mantissa - 1)
        return sign | cut
    return sign | round_shift(magnitude, drop) << drop


# Adding a difference

F32 = 18
SMALLEST = -149  # BF16, F16 and F32 are all multiples of 2^-149


def fixed(bits, dtype):
    """A finite value as a multiple of 2^SMALLEST."""
    _, _, exponent, mantissa = DTYPES[dtype]
    field = bits >> mantissa & ((1 << exponent) - 1)
    number = bits & ((1 << mantissa) - 1) | (1 << mantissa if field else 0)
    number <<= (field or 1) - ((1 << (exponent - 1)) - 1) - mantissa - SMALLEST
    return -number if bits >> (exponent + mantissa) else number


def add_difference(bits, dtype, difference):
    """A value plus an F32, rounded once; F32 plus F32 for dtype F32."""
    _, _, exponent, mantissa = DTYPES[dtype]
    top = exponent + mantissa
    if bits >> mantissa & ((1 << exponent) - 1) == (1 << exponent) - 1:
        return bits
    total = fixed(bits, dtype) + fixed(difference, F32)
    negative = total < 0 or (total == 0 and bits >> top and difference >> 31)
    return (1 << top if negative else 0) | nearest(abs(total), SMALLEST, dtype)


# PREDICTORS

PREDICTOR_NAMES = {2: "row-gain", 3: "low-rank", 4: "merge", 5: "quantised"}


def predict(segment, off, length, bases):
    """Predicted values of [off, off + length) of a segment; None if nothing is predicted."""
    if segment.predictor == 0:
        return None
    if segment.predictor in PREDICTOR_NAMES:
        raise Unsupported("predictor " + PREDICTOR_NAMES[segment.predictor])
    must(segment.predictor == 1, "no predictor has the number %d" % segment.predictor)
    values, start = [], 0
    for piece in segment.pieces:
        first, last = max(off, start), min(off + length, start + piece.len)
        if first < last:
            values += predict_run(segment, piece, first - start, last - first, bases)
        start += piece.len
    return values


def predict_run(segment, piece, skip, length, bases):
    n = length // segment.unit
    check_convertible(piece.dtype, segment.dtype)
    if piece.base == 0xffffffff:
        return [0] * n
    unit = DTYPES[piece.dtype][1]
    at = piece.base_off + skip // segment.unit * unit
    values = unpack_values(bases[piece.base][at:at + n * unit], unit)
    if piece.dtype != segment.dtype:
        values = [convert_value(bits, piece.dtype, segment.dtype) for bits in values]
    if segment.drop:
        values = [round_low(bits, segment.dtype, segment.drop) for bits in values]
    return values


def check_convertible(source, target):
    names = DTYPES[source][0], DTYPES[target][0]
    if source != target and not (names[0] in CONVERTIBLE and names[1] in CONVERTIBLE):
        raise Wrong("piece: %s does not predict %s" % names)
