# SPDX-License-Identifier: GPL-2.0-or-later
"""paper_bitdelta: BitDelta as its paper has it, in 64-bit floats.

J. Liu et al.: BitDelta: Your Fine-Tune May Only Be Worth One Bit. NeurIPS 2024,
section 3.1, and the authors' code (FasterDecoding/BitDelta):

    D = W - W0,  a = mean |D|,  W^ = W0 + a sgn(D)

for a matrix; the k-bit form does the same to what is left over, k times. The
paper has sgn(0) = -1 and the authors' code 1; deltafs-codecs(7) says 1.
deltafs adds: a mean for each row or column.

What a container may have otherwise:
  - a mean is rounded to an F16 times 2^e, where e puts the largest mean of the
    first round between 2^14 and 2^15. The reference rounds likewise. Where
    rounding turns on the last bits of the mean, the container's number is taken.
  - what is left over is rounded to F32 in each round. Where that is more than
    what is left, its sign could be either, and the value is not compared.
"""

import struct

import numpy as np

from paper_numbers import U, half_step

CODEC = 16  # in containers
DEFAULTS = {"scale": "row", "k": "1"}
F16_MAX = 65504.0
AXIS = {"scalar": None, "row": 1, "column": 0}

# Of so many values at most signs may be in doubt. What decides is U of a
# difference: one value in a million is already many.
DOUBTFUL = 1e-5


def mean_magnitude(values, scale):
    return np.abs(values).mean(axis=AXIS[scale], keepdims=True)


def signs(values):
    return np.where(values < 0, -1.0, 1.0)


def rounding(values):
    """What rounding to F32 does to numbers that are known exactly: often nothing, if weights have
    16 bits."""
    return np.abs(values - values.astype(np.float32))


def f16_times(means, exponent):
    halves = np.minimum(np.ldexp(means, -exponent), F16_MAX).astype(np.float16)
    return np.ldexp(halves.astype(np.float64), exponent)


def stored_scales(tensor, scale, k):
    units = {"scalar": (1, 1), "row": (tensor.rows, 1), "column": (1, tensor.cols)}[scale]
    exponent, = struct.unpack_from("b", tensor.table, 2)
    halves = np.frombuffer(tensor.table, "<f2", offset=4).astype(np.float64)
    return exponent, np.ldexp(halves, exponent).reshape((k,) + units)


def reference(tensors, options, checks):
    scale, k = options["scale"], int(options["k"])
    return [reference_of(tensor, scale, k, checks) for tensor in tensors]


def reference_of(tensor, scale, k, checks):
    left = tensor.tune - tensor.base
    off = rounding(left)  # how far the F32 numbers may be from it
    exponent, stored = stored_scales(tensor, scale, k)
    largest = np.ldexp(mean_magnitude(left, scale).max(), -exponent)
    checks.within("exponent of means", np.log2(largest) - 14.5, 0.5 + 4 * U, tensor.name)
    difference, slack, magnitude = (np.zeros(tensor.shape) for _ in range(3))
    doubtful = np.zeros(tensor.shape, bool)
    for r in range(k):
        mean = mean_magnitude(left, scale)
        # of the mean itself, and its own rounding to F32 on the way to F16
        unsure = mean_magnitude(off, scale) + 2 * U * mean
        step = np.ldexp(half_step(np.ldexp(mean + unsure, -exponent), "F16"), exponent)
        checks.within("mean as F16", stored[r] - mean, step + unsure, tensor.name)
        low, high = f16_times(mean - unsure, exponent), f16_times(mean + unsure, exponent)
        scales = np.where(low == high, low, stored[r])
        if r:
            doubtful |= (np.abs(left) <= off) & (off > 0)
        term = signs(left) * scales
        left = left - term
        off = off + np.where(off > 0, U * (np.abs(left) + off), rounding(left))
        difference += term
        magnitude = magnitude + scales
        # the first term is an F32; each that is added is rounded, to no more than the sum of all
        if r:
            slack += U * magnitude
    checks.within("values of doubtful sign", np.count_nonzero(doubtful),
                  DOUBTFUL * doubtful.size + 1, tensor.name)
    slack[doubtful] = np.inf
    return difference, slack
