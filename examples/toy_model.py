#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""toy_model: a base and fine-tunes of it, of 393,216 parameters each, in a second.

    toy_model.py BASE [TUNED...]

Each is a bfloat16 safetensors file. In a fine-tune every weight has moved by about
2 % of the size of a weight. Needs Python alone; make_finetune.py moves a real model.
"""
import json
import random
import struct
import sys
from array import array

SHAPES = {"embed.weight": (512, 256), **{f"layers.{i}.weight": (256, 256) for i in range(4)}}


def bfloat16(values):
    """Little-endian bytes of the nearest bfloat16 numbers, ties to even; no NaN."""
    bits = array("I", array("f", values).tobytes())
    rounded = array("H", [(b + 0x7FFF + ((b >> 16) & 1)) >> 16 for b in bits])
    if sys.byteorder == "big":
        rounded.byteswap()
    return rounded.tobytes()


def write(path, tensors, shapes):
    """A safetensors file of bfloat16 tensors: lists of numbers by name."""
    header, body, at = {}, [], 0
    for name, values in tensors.items():
        data = bfloat16(values)
        header[name] = {"dtype": "BF16", "shape": list(shapes[name]), "data_offsets": [at, at + len(data)]}
        body.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(body))


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__.strip())
    rng = random.Random(1)
    base = {name: [rng.gauss(0, 0.02) for _ in range(rows * columns)] for name, (rows, columns) in SHAPES.items()}
    write(sys.argv[1], base, SHAPES)
    for path in sys.argv[2:]:
        write(path, {name: [w + rng.gauss(0, 0.0004) for w in values] for name, values in base.items()}, SHAPES)


if __name__ == "__main__":
    main()
