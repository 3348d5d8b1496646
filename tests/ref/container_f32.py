# SPDX-License-Identifier: GPL-2.0-or-later
"""container_f32: F32 arithmetic, as the codecs that give up bits use it.

F32 numbers are handled as Python floats that hold just such a number. One
operation on two of them, done with 64-bit floats and rounded again, is rounded
as if done once: 53 bits are more than twice 24 and two.
"""

from array import array

import container_values
from container_values import convert_value

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


def add_difference(prediction, difference, dtype):
    """The bits of a value: of its prediction, and a difference that is an F32."""
    return container_values.add_difference(prediction, dtype, f32_bits(difference))


def add_differences(block, differences):
    return block.pack([add_difference(prediction, difference, block.segment.dtype)
                       for prediction, difference in zip(block.prediction, differences)])
