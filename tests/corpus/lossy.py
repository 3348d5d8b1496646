# SPDX-License-Identifier: GPL-2.0-or-later
"""lossy: containers of codecs that give up bits, and what they must decode to.

Each row is a name, a line for the README, the base, the codec with its options,
the original, and the file that the container stands for, which is worked out
here from the codec's definition and from no container.
"""

import math
import random

from container_values import add_difference
from models import NUMBER, make_main, moved, recast, safetensors, to_bits, to_number


def f32(number):
    return to_number(to_bits(number, "F32"), "F32")


def scale_of(mean, exponent):
    return math.ldexp(to_number(to_bits(math.ldexp(f32(mean), -exponent), "F16"), "F16"), exponent)


def bitdelta_differences(deltas, group, k):
    """What k rounds make of F32 differences; group[i] is whose scale number i has."""
    left, given, exponent = list(deltas), None, None
    for _ in range(k):
        sums, counts = {}, {}
        for unit, delta in zip(group, left):
            sums[unit] = sums.get(unit, 0.0) + abs(delta)
            counts[unit] = counts.get(unit, 0) + 1
        means = {unit: sums[unit] / counts[unit] for unit in sums}
        if exponent is None:
            exponent = math.frexp(max(means.values()))[1] - 15
        scales = {unit: scale_of(mean, exponent) for unit, mean in means.items()}
        terms = [-scales[unit] if delta < 0 else scales[unit] for unit, delta in zip(group, left)]
        left = [f32(delta - term) for delta, term in zip(left, terms)]
        given = [f32(a + b) for a, b in zip(given, terms)] if given else terms
    return given


def bitdelta(base, tensor, scale, k):
    name, dtype, shape, values = tensor
    base = recast(base, dtype)
    cols = shape[-1]
    group = [{"scalar": 0, "row": i // cols, "column": i % cols}[scale] for i in range(len(values))]
    deltas = [f32(to_number(a, dtype) - to_number(b, dtype)) for a, b in zip(values, base[3])]
    differences = bitdelta_differences(deltas, group, k)
    return (name, dtype, shape, [add_difference(b, NUMBER[dtype], to_bits(d, "F32"))
                                 for b, d in zip(base[3], differences)])


def tuned(dtype, seed):
    rng = random.Random(seed)
    return [moved(rng, recast(tensor, dtype), 1e-2) for tensor in make_main()]


def shown(model, names, scale, k):
    bases = {tensor[0]: tensor for tensor in make_main()}
    return safetensors([bitdelta(bases[tensor[0]], tensor, scale, k) if tensor[0] in names else tensor
                        for tensor in model])


MATRIX, BOTH = ("layer.weight",), ("layer.weight", "embed.weight")

LOSSY = [
    ("bitdelta", "bitdelta, bf16: a scale for each row", "main", "bitdelta",
     lambda: safetensors(tuned("BF16", 30)), lambda: shown(tuned("BF16", 30), MATRIX, "row", 1)),
    ("bitdelta-columns", "bitdelta, F32 over bf16: three rounds, a scale for each column", "main",
     "bitdelta:scale=column,k=3,embeddings=lossy",
     lambda: safetensors(tuned("F32", 31)), lambda: shown(tuned("F32", 31), BOTH, "column", 3)),
    ("bitdelta-scalar", "bitdelta, F16 over bf16: eight rounds, one scale", "main",
     "bitdelta:scale=scalar,k=8",
     lambda: safetensors(tuned("F16", 32)), lambda: shown(tuned("F16", 32), MATRIX, "scalar", 8)),
]
