# SPDX-License-Identifier: GPL-2.0-or-later
"""lossy_pairs: bases and fine-tunes tensor by tensor, for what is given up of each; and what became of them.

A tensor is (name, shape, kind) or (name, shape, kind, dtype), kind one of
    tuned   the base's values and a small difference each
    same    the base's bytes
    nan     as tuned, but a NaN in its last row
    none    not in the base
"""
import json
import math
import os
import random
import struct
from array import array

SIZES = {"BF16": 2, "F16": 2, "F32": 4}


def pack(values, dtype):
    if dtype == "F32":
        return array("f", values).tobytes()
    if dtype == "F16":
        return struct.pack("<%de" % len(values), *values)
    words = array("I")
    words.frombytes(array("f", values).tobytes())
    return array("H", [(w + 0x7fff + (w >> 16 & 1)) >> 16 for w in words]).tobytes()


def save(path, tensors):
    """@tensors: name -> (dtype, shape, bytes)"""
    header, off = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [off, off + len(data)]}
        off += len(data)
    text = json.dumps(header).encode()
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values()))


def load(path):
    """name -> (dtype, shape, bytes), and the header's bytes"""
    with open(path, "rb") as f:
        data = f.read()
    n = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + n])
    header.pop("__metadata__", None)
    return {name: (t["dtype"], t["shape"], data[8 + n:][slice(*t["data_offsets"])])
            for name, t in header.items()}, data[:8 + n]


def pair(base_path, tune_path, tensors, seed=1, r=0.05):
    rng = random.Random(seed)
    base, tune = {}, {}
    for name, shape, kind, *rest in tensors:
        dtype = rest[0] if rest else "BF16"
        values = [rng.gauss(0, .02) for _ in range(math.prod(shape))]
        old = pack(values, dtype)
        new = old
        if kind in ("tuned", "nan"):
            values = [v + rng.gauss(0, .02 * r) for v in values]
            if kind == "nan":
                values[-1] = math.nan
            new = pack(values, dtype)
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
