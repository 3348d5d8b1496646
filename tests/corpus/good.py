# SPDX-License-Identifier: GPL-2.0-or-later
"""good: the containers that every build must read, as a table of how they are made.

Each row is a name, a line for the README, the base (or None), and a function
that gives the original, which the encoder then gets.
"""

import random

from container_values import DTYPES
from models import (fresh, make_every_dtype, make_halves, make_main, moved, recast, safetensors,
                    with_specials)

IS_FLOAT = {name: exponent > 0 for name, _, exponent, _ in DTYPES}


def every(r, share=1.0, seed=10):
    rng = random.Random(seed)
    return [moved(rng, tensor, r, share) for tensor in make_every_dtype()]


def rows_and_all():
    """Of the embedding a fifth of the rows moved, of the rest every value."""
    rng = random.Random(11)
    embed, *rest = make_main()
    rows = {row for row in range(embed[2][0]) if rng.random() < 0.2}
    return [moved(rng, embed, 3e-2, rows=rows)] + [moved(rng, tensor, 3e-3) for tensor in rest]


CASTS = {"F64": "F32", "F32": "F64", "BF16": "F32", "F16": "BF16", "F8_E5M2": "F16",
         "F8_E4M3": "BF16"}


def matrix_alone():
    return rows_and_all()[1:]


def one():
    rng = random.Random(21)
    return [moved(rng, tensor, 1e-2) for tensor in make_every_dtype() if tensor[1] == "BF16"]


def cast():
    rng = random.Random(12)
    return [moved(rng, recast(tensor, CASTS[tensor[1]]), 1e-2)
            for tensor in make_every_dtype() if tensor[1] in CASTS]


NARROW = {"F64": "F8_E5M2", "F32": "F8_E4M3", "BF16": "F8_E5M2", "F16": "F8_E4M3",
          "F8_E5M2": "F8_E4M3", "F8_E4M3": "F8_E5M2"}


def narrowed():
    """Each float tensor as an F8: most of the base's bits are rounded away."""
    return [recast(tensor, NARROW[tensor[1]])
            for tensor in make_every_dtype() if tensor[1] in NARROW]


def parked():
    """Narrow values in wide dtypes, trained: the low bits are zero in all."""
    rng = random.Random(13)
    plan = {"F32": ("F32", "BF16"), "F64": ("F64", "F16"), "BF16": ("F32", "BF16"),
            "F16": ("F64", "F16")}
    out = []
    for tensor in make_every_dtype():
        if tensor[1] in plan:
            wide, narrow = plan[tensor[1]]
            tensor = recast(moved(rng, recast(tensor, narrow), 1e-2), wide)
            out.append(tensor)
    return out


def grown():
    rng = random.Random(14)
    embed, *rest = make_main()
    more = fresh(rng, "embed.weight", "BF16", (150, 64))
    name, dtype, shape, values = moved(rng, embed, 1e-3)
    embed = (name, dtype, (shape[0] + 150, shape[1]), values + more[3])
    return [embed] + [moved(rng, tensor, 1e-3) for tensor in rest]


def floats(model):
    return [tensor for tensor in model if IS_FLOAT[tensor[1]]]


def special(without=()):
    rng = random.Random(15)
    return [with_specials(rng, moved(rng, tensor, 1e-3), 17)
            for tensor in floats(make_every_dtype()) if tensor[1] not in without]


def halves():
    rng = random.Random(16)
    first, second = make_halves()
    return [moved(rng, tensor, 1e-2) for tensor in second[:1] + first + second[1:]]


def words():
    rng = random.Random(17)
    some = [bytes(rng.choice(b"etaoinshrdlu") for _ in range(rng.randrange(2, 9)))
            for _ in range(12)]
    return b" ".join(rng.choice(some) for _ in range(25000)) + b"\n"


def noise():
    return random.Random(18).randbytes(2000)


GOOD = [
    ("copy", "identical to its base", "main", lambda: safetensors(make_main())),
    ("rows", "bf16: a fifth of an embedding's rows moved, everywhere else all values", "main",
     lambda: safetensors(rows_and_all())),
    ("odd", "bf16: tensors at odd places, metadata in the header", "main",
     lambda: safetensors(rows_and_all(), {"made": "by hand"}, skew=1)),
    ("grown", "bf16: more rows than the base has", "main", lambda: safetensors(grown())),
    ("one", "bf16: one small tensor", "every", lambda: safetensors(one())),
    ("alone", "bf16: no base", None, lambda: safetensors(matrix_alone())),
    ("moved", "every dtype, all values moved", "every", lambda: safetensors(every(1e-2))),
    ("far", "floats, moved so far that the base is of little use", "every",
     lambda: safetensors(floats(every(1.0, seed=19)))),
    ("few", "every dtype, one value in fifty moved", "every",
     lambda: safetensors(every(3e-2, 0.02))),
    ("dtypes-alone", "every dtype, no base", None, lambda: safetensors(every(1e-2))),
    ("cast", "floats over a base of another dtype, narrower or wider", "every",
     lambda: safetensors(cast())),
    ("narrowed", "F8 over wider bases: each value is the rounded one", "every",
     lambda: safetensors(narrowed())),
    ("parked", "narrow floats in wide dtypes, over bases of either", "every",
     lambda: safetensors(parked())),
    ("parked-alone", "narrow floats in wide dtypes, no base", None,
     lambda: safetensors(parked())),
    ("special", "NaN, infinity, both zeros and subnormals in every float dtype", "every",
     lambda: safetensors(special())),
    ("special-alone", "the same without a base", None,
     lambda: safetensors(special(without=("F64", "C64")))),
    ("halves", "one file over a base of two", "halves.index.json",
     lambda: safetensors(halves())),
    ("text", "no safetensors file: text of more than one chunk", None, words),
    ("noise", "no safetensors file: bytes that do not shrink", None, noise),
    ("empty", "an empty file", None, lambda: b""),
    ("no-tensors", "a safetensors file without tensors", None, lambda: safetensors([])),
]
