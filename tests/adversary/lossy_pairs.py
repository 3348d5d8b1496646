# SPDX-License-Identifier: GPL-2.0-or-later
"""lossy_pairs: bases and fine-tunes tensor by tensor, for what is given up of each; and what became of them.

A tensor is (name, shape, kind) or (name, shape, kind, dtype), kind one of
    tuned   the base's values and a small difference each
    same    the base's bytes
    hardly  the base's bytes, but one value in a thousand
    nan     as tuned, but a NaN in its last row
    none    not in the base
"""
import math
import os
import random

import lossy_pair
from lossy_pair import PACK, read as load


def save(path, tensors):
    """@tensors: name -> (dtype, shape, bytes)"""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    lossy_pair.save(path, [(name, *tensor) for name, tensor in tensors.items()])


def pair(base_path, tune_path, tensors, seed=1, r=0.05):
    rng = random.Random(seed)
    base, tune = {}, {}
    for name, shape, kind, *rest in tensors:
        dtype = rest[0] if rest else "BF16"
        values = [rng.gauss(0, .02) for _ in range(math.prod(shape))]
        old = PACK[dtype](values)
        new = old
        if kind == "hardly":
            new = PACK[dtype]([v * 1.5 if i % 1000 == 500 else v for i, v in enumerate(values)])
        if kind in ("tuned", "nan"):
            values = [v + rng.gauss(0, .02 * r) for v in values]
            if kind == "nan":
                values[-1] = math.nan
            new = PACK[dtype](values)
        tune[name] = (dtype, list(shape), new)
        if kind != "none":
            base[name] = (dtype, list(shape), old)
    save(base_path, base)
    save(tune_path, tune)


def changed(before, after):
    """The tensors of one file that are other bytes in the other. Raises if anything else differs."""
    (old, head), (new, shown) = load(before), load(after)
    if head != shown:
        raise AssertionError("the header is another one")
    return {name for name in old if old[name] != new[name]}


def size_of(path, names):
    return sum(len(data) for name, (_, _, data) in load(path)[0].items() if name in names)
