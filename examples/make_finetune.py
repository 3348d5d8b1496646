#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make_finetune: a bfloat16 base and a made-up fine-tune of it, in seconds.

    make_finetune.py F32_MODEL OUT_BASE OUT_TUNED

Both are the F32 model rounded to bfloat16; the fine-tune first moves as training
for classification at 5e-5 was seen to move this model: every matrix by 7 % of its
own size with a heavy tail, of an embedding only the rows of words that occur (a
quarter). train_finetune.py makes a truly trained one. Needs numpy.
"""
import json
import struct
import sys

import numpy as np


def read(path):
    """The header, and the F32 tensors by name; others stay bytes."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        body = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        data = body[begin:end]
        if entry["dtype"] == "F32":
            data = np.frombuffer(data, "<f4").reshape(entry["shape"])
        tensors[name] = (entry["dtype"], entry["shape"], data)
    return metadata, tensors


def moved(name, values, rng):
    """What some hundred steps of training leave of a tensor."""
    step = rng.standard_t(4, values.shape).astype(np.float32)
    step *= 0.07 * np.sqrt(np.mean(values**2)) / np.sqrt(np.mean(step**2))
    if "word_embeddings" in name:
        step[rng.random(len(step)) > 0.25] = 0
    return values + step


def bfloat16(values):
    """To the nearest, ties to even; the models hold no NaN."""
    bits = np.ascontiguousarray(values).view("<u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes()


def write(path, metadata, tensors):
    header, body = {"__metadata__": metadata}, []
    at = 0
    for name, (dtype, shape, data) in tensors.items():
        if dtype == "F32":
            dtype, data = "BF16", bfloat16(data)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        body.append(data)
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(body))


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    metadata, tensors = read(sys.argv[1])
    rng = np.random.default_rng(1)
    tuned = {name: (dtype, shape, moved(name, data, rng) if dtype == "F32" else data)
             for name, (dtype, shape, data) in tensors.items()}
    write(sys.argv[2], metadata, tensors)
    write(sys.argv[3], metadata, tuned)


if __name__ == "__main__":
    main()
