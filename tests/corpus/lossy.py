# SPDX-License-Identifier: GPL-2.0-or-later
"""lossy: containers of codecs that give up bits, and what they must decode to.

Each row is a name, a line for the README, the base, the codec with its options,
the original, and the file that the container stands for, which is worked out
here from the codec's definition and from no container. Where there is none, it
is what the reader in tests/ref makes of the container by the format page.
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


def matrix(dtype, seed):
    """Of the model only a matrix: some KB."""
    return [tensor for tensor in tuned(dtype, seed) if tensor[0] in MATRIX]


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
    ("delta-dct", "delta-dct, bf16: half of the patches in two bits, one-byte numbers", "main", "delta-dct",
     lambda: safetensors(tuned("BF16", 33)), None),
    ("delta-dct-minmax", "delta-dct, F32 over bf16: patches of 8, three classes, F16 bounds", "main",
     "delta-dct:p=8,bits=4:0.25/1:0.5/0:0.25,levels=minmax,codes=16,embeddings=lossy",
     lambda: safetensors(tuned("F32", 34)), None),
    ("delta-dct-large", "delta-dct, F16 over bf16: patches of 32, three bits", "main", "delta-dct:p=32,bits=3:1",
     lambda: safetensors(tuned("F16", 35)), None),
    ("ultradelta", "ultradelta, bf16: places by a seed", "main", "ultradelta",
     lambda: safetensors(tuned("BF16", 36)), None),
    ("ultradelta-stored", "ultradelta, F32 over bf16: stored places, 3 bits, a gain of each layer", "main",
     "ultradelta:s=0.9,mask=stored,qbits=3,rescale=layer,embeddings=lossy",
     lambda: safetensors(tuned("F32", 37)), None),
    ("ultradelta-codebook", "ultradelta, F16 over bf16: fitted levels, half of the values", "main",
     "ultradelta:s=0.5,levels=codebook,gamma=0.8,seed=7,embeddings=lossy",
     lambda: safetensors(tuned("F16", 38)), None),
    ("delta-come", "delta-come, bf16", "main", "delta-come",
     lambda: safetensors(tuned("BF16", 39)), None),
    ("delta-come-wide", "delta-come, F32 over bf16: a quarter of the ratio, groups of 32", "main",
     "delta-come:ratio=4,group=32,embeddings=lossy",
     lambda: safetensors(tuned("F32", 40)), None),
    ("delta-dct-64", "delta-dct, F16 over bf16: patches of 64, one bit, F16 gains", "main",
     "delta-dct:p=64,bits=1:1,codes=16", lambda: safetensors(matrix("F16", 41)), None),
    ("delta-dct-bits", "delta-dct, bf16: classes of 8, 7, 6, 5, 4, 3, 1 and 0 bits", "main",
     "delta-dct:p=8,bits=8:.01/7:.01/6:.02/5:.02/4:.02/3:.02/1:.02/0:.88",
     lambda: safetensors(matrix("BF16", 42)), None),
    ("delta-dct-bounds", "delta-dct, F32 over bf16: one-byte bounds, classes of 8 to 2 bits and 0", "main",
     "delta-dct:p=8,levels=minmax,bits=8:.01/7:.01/6:.02/5:.02/4:.02/3:.02/2:.02/0:.88",
     lambda: safetensors(matrix("F32", 43)), None),
    ("ultradelta-plain", "ultradelta, F16 over bf16: places by a seed, codes of 2 bits as they are", "main",
     "ultradelta:s=0.98,levels=codebook,qbits=2", lambda: safetensors(matrix("F16", 44)), None),
    ("ultradelta-stored-plain", "ultradelta, F32 over bf16: stored places, codes of 8 bits as they are", "main",
     "ultradelta:s=0.99,mask=stored,qbits=8", lambda: safetensors(matrix("F32", 45)), None),
    ("delta-come-half", "delta-come, F16 over bf16: twice the ratio, groups of 8", "main",
     "delta-come:ratio=32,group=8", lambda: safetensors(matrix("F16", 46)), None),
]
