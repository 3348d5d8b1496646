# SPDX-License-Identifier: GPL-2.0-or-later
"""lossy_pair: model files of a few matrices, made and looked at byte by byte, for the scripts about codecs that give up bits."""

import json
import random
import struct
from array import array

ROWS, COLS = 96, 384	# 72 KiB in 16 bits: what a codec takes begins at 64

UNIT = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "U32": 4, "BF16": 2, "F16": 2, "I16": 2, "F8_E4M3": 1, "I8": 1, "BOOL": 1}


def f32(values):
    return array("f", values).tobytes()


def bf16(values):
    words = array("I")
    words.frombytes(array("f", values).tobytes())
    return array("H", [(w + 0x7fff + (w >> 16 & 1)) >> 16 for w in words]).tobytes()


def f16(values):
    return struct.pack(f"<{len(values)}e", *values)


PACK = {"F32": f32, "BF16": bf16, "F16": f16}


def numbers(dtype, data):
    """The floats of a tensor's bytes."""
    if dtype == "F16":
        return struct.unpack(f"<{len(data) // 2}e", data)
    if dtype == "BF16":
        return array("f", array("I", [w << 16 for w in array("H", data)]).tobytes())
    return array("f", data)


def gauss(rng, n, sigma):
    return [rng.gauss(0, sigma) for _ in range(n)]


def moved(rng, values, sigma):
    return [v + rng.gauss(0, sigma) for v in values]


def save(path, tensors, metadata=None):
    """tensors: (name, dtype, shape, bytes), in the order in which they are to lie in the file"""
    header, at = {"__metadata__": metadata} if metadata else {}, 0
    for name, dtype, shape, data in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, _, data in tensors))


def read(path):
    """{name: (dtype, shape, bytes)}, and all bytes before the first tensor"""
    with open(path, "rb") as f:
        data = f.read()
    start = 8 + struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    return {name: (t["dtype"], t["shape"], data[start:][slice(*t["data_offsets"])]) for name, t in header.items()}, data[:start]


def load(path):
    """{name: bytes}, and all bytes before the first tensor"""
    tensors, head = read(path)
    return {name: data for name, (_, _, data) in tensors.items()}, head


def layer(i, what="mlp.up_proj"):
    return f"model.layers.{i}.{what}.weight"


def pair(base, tune, seed=1, layers=4, dtype="BF16", order=None, sigma=0.001):
    """A base and its fine-tune of some matrices; @order: of the fine-tune's tensors in its file"""
    rng, a, b = random.Random(seed), [], []
    for i in range(layers):
        weights = gauss(rng, ROWS * COLS, 0.02)
        a.append((layer(i), dtype, [ROWS, COLS], PACK[dtype](weights)))
        b.append((layer(i), dtype, [ROWS, COLS], PACK[dtype](moved(rng, weights, sigma))))
    save(base, a)
    save(tune, [b[i] for i in order or range(layers)])
