# SPDX-License-Identifier: GPL-2.0-or-later
"""container_lossy: F32 arithmetic and "Adding a difference" of deltafs-format(5).

F32 numbers are handled as Python floats that hold just such a number. One
operation on two of them, done with 64-bit floats and rounded again, is rounded
as if done once: 53 bits are more than twice 24 and two.
"""

from array import array

from container_errors import must
from container_values import DTYPES, convert_value, nearest

F32 = 18


def rounded(numbers):
    return list(array("f", numbers))


def f32(number):
    return array("f", (number,))[0]


def f32_bits(number):
    return int.from_bytes(array("f", (number,)).tobytes(), "little")


def f32_of_bits(bits):
    numbers = array("f")
    numbers.frombytes(bits.to_bytes(4, "little"))
    return numbers[0]


def f16_value(bits):
    return f32_of_bits(convert_value(bits, 14, F32))


def scaled(bits):
    """An F32 by its bits, as a multiple of 2^-149."""
    field, low = bits >> 23 & 255, bits & 0x7fffff
    number = low if field == 0 else (low | 1 << 23) << (field - 1)
    return -number if bits >> 31 else number


def add_difference(prediction, difference, dtype):
    _, unit, exponent, mantissa = DTYPES[dtype]
    infinity = ((1 << exponent) - 1) << mantissa
    if prediction & infinity == infinity:
        return prediction
    predicted = prediction if dtype == F32 else convert_value(prediction, dtype, F32)
    added = f32_bits(difference)
    total = scaled(predicted) + scaled(added)
    negative = predicted >> 31 & added >> 31 if total == 0 else total < 0
    magnitude = min(nearest(abs(total), -149, dtype), infinity) if total else 0
    return negative << (8 * unit - 1) | magnitude


def add_differences(block, differences):
    must(DTYPES[block.segment.dtype][0] in ("F16", "BF16", "F32") and block.drop == 0, "lossy: dtype")
    return block.pack([add_difference(prediction, difference, block.segment.dtype)
                       for prediction, difference in zip(block.prediction, differences)])
