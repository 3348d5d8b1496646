# SPDX-License-Identifier: GPL-2.0-or-later
"""models: small model files made up at random, the same at each run.

A model is a list of tensors, a tensor a (name, dtype, shape, values); values
are the bits of its elements as integers. Floats are made in F64 and brought
to their dtype by the conversion rule of deltafs-format(5).
"""

import json
import random
import struct

from container_values import DTYPES, convert_value, pack_values

NUMBER = {name: number for number, (name, _, _, _) in enumerate(DTYPES)}
PLAIN_FLOATS = ("F8_E5M2", "F8_E4M3", "F16", "BF16", "F32", "F64", "C64")
SIGMA = 0.02


def unit(dtype):
    return DTYPES[NUMBER[dtype]][1]


def to_bits(number, dtype):
    bits = struct.unpack("<Q", struct.pack("<d", number))[0]
    name = "F32" if dtype == "C64" else dtype
    return bits if name == "F64" else convert_value(bits, NUMBER["F64"], NUMBER[name])


def to_number(bits, dtype):
    name = "F32" if dtype == "C64" else dtype
    if name != "F64":
        bits = convert_value(bits, NUMBER[name], NUMBER["F64"])
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def count(dtype, shape):
    """Units (as deltafs reads them) of a tensor."""
    elements = 1
    for n in shape:
        elements *= n
    bits = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "C64": 64}.get(dtype, 8 * unit(dtype))
    return elements * bits // 8 // unit(dtype)


def fresh(rng, name, dtype, shape):
    n = count(dtype, shape)
    if dtype in PLAIN_FLOATS:
        return (name, dtype, shape, [to_bits(rng.gauss(0, SIGMA), dtype) for _ in range(n)])
    if dtype == "BOOL":
        return (name, dtype, shape, [int(rng.random() < 0.2) for _ in range(n)])
    # integers, and floats that only deltafs's own dtypes know: numbers near the middle
    width = 8 * unit(dtype)
    middle = rng.getrandbits(width)
    spread = 1 << min(width - 2, 10)
    return (name, dtype, shape,
            [(middle + int(rng.gauss(0, spread))) & ((1 << width) - 1) for _ in range(n)])


def moved(rng, tensor, r, share=1.0, rows=None):
    """A tensor after training: its values moved by r times the spread of weights, or only a
    share of them; with rows, all of a row or nothing. Integers move a few steps, or anywhere."""
    name, dtype, shape, values = tensor
    width = 8 * unit(dtype)
    out = []
    for i, bits in enumerate(values):
        if rows is not None and i // shape[-1] not in rows or rng.random() >= share:
            out.append(bits)
        elif dtype in PLAIN_FLOATS:
            out.append(to_bits(to_number(bits, dtype) + rng.gauss(0, SIGMA * r), dtype))
        elif dtype == "BOOL":
            out.append(bits ^ 1 if rng.random() < r else bits)
        else:
            step = rng.getrandbits(width) if rng.random() < 0.01 else int(rng.gauss(0, 4))
            out.append((bits + step) & ((1 << width) - 1))
    return (name, dtype, shape, out)


def recast(tensor, dtype, through=None):
    """A tensor's numbers in another dtype; through: rounded to that one first."""
    name, source, shape, values = tensor
    steps = [step for step in (through, dtype) if step]
    for target in steps:
        if target != source:
            values = [convert_value(bits, NUMBER[source], NUMBER[target]) for bits in values]
        source = target
    return (name, dtype, shape, values)


SPECIAL_NUMBERS = (float("inf"), float("-inf"), -0.0, 0.0, 5e-324, -1e-40, 1e-45, 6e-8, 65504.0,
                   3.4e38, 448.0, 57344.0, 1.0, -1.0)


def with_specials(rng, tensor, every):
    """Infinities, zeros of both signs, subnormals, the largest numbers and NaNs of all kinds."""
    name, dtype, shape, values = tensor
    _, size, exponent, mantissa = DTYPES[NUMBER[dtype]]
    top = ((1 << exponent) - 1) << mantissa
    out = list(values)
    for i in range(0, len(out), every):
        kind = rng.randrange(len(SPECIAL_NUMBERS) + 4)
        if kind < len(SPECIAL_NUMBERS):
            out[i] = to_bits(SPECIAL_NUMBERS[kind], dtype)
        else:
            out[i] = top | rng.getrandbits(mantissa) | rng.getrandbits(1) << (8 * size - 1)
    return (name, dtype, shape, out)


def safetensors(model, metadata=None, skew=0):
    """The file of a model; the data begins skew bytes behind a multiple of 8."""
    header, data = {}, []
    if metadata:
        header["__metadata__"] = metadata
    at = 0
    for name, dtype, shape, values in model:
        raw = pack_values(values, unit(dtype))
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + len(raw)]}
        at += len(raw)
        data.append(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8 + skew)
    return struct.pack("<Q", len(text)) + text + b"".join(data)


# --- the models of the corpus

# One tensor of each dtype; those of 2048 values and more are coded on 32 lanes.
EVERY_DTYPE = [
    ("F64", (52, 40)), ("I64", (600,)), ("U64", (600,)), ("C64", (20, 30)), ("F32", (60, 40)),
    ("I32", (900,)), ("U32", (900,)), ("BF16", (64, 48)), ("F16", (50, 60)), ("I16", (1500,)),
    ("U16", (2200,)), ("F8_E5M2", (60, 50)), ("F8_E4M3", (60, 50)), ("F8_E8M0", (1500,)),
    ("F8_E4M3FNUZ", (2500,)), ("F8_E5M2FNUZ", (1500,)), ("I8", (2500,)), ("U8", (2500,)),
    ("BOOL", (3000,)), ("F4", (50, 60)), ("F6_E2M3", (40, 60)), ("F6_E3M2", (40, 60)),
]


def make_every_dtype():
    rng = random.Random(1)
    return [fresh(rng, "every." + dtype.lower(), dtype, shape) for dtype, shape in EVERY_DTYPE]


def make_main():
    """An embedding of more than one chunk, a matrix, small tensors, one of no elements."""
    rng = random.Random(2)
    model = [fresh(rng, "embed.weight", "BF16", (1016, 64)),
             fresh(rng, "layer.weight", "BF16", (183, 180)),
             ("layer.none", "BF16", (0, 64), []),
             fresh(rng, "layer.scale", "BF16", ())]
    model += [fresh(rng, "norm.%d.weight" % i, "BF16", (64,)) for i in range(12)]
    return model


def make_halves():
    """The two files of a model in shards."""
    rng = random.Random(3)
    return ([fresh(rng, "a.weight", "F16", (64, 64)), fresh(rng, "shared", "F16", (32, 64))],
            [fresh(rng, "b.weight", "F16", (64, 64)), fresh(rng, "c.weight", "F32", (40, 40))])
