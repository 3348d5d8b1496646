#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""papers_model: a base and a fine-tune of it, of matrices that codecs find hard, for papers.py.

    papers_model.py BASE TUNE SHARD N

The fine-tune is in TUNE, and once more in N files SHARD-00001-of-N and so on.
"""

import json
import os
import struct
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ref"))
sys.dont_write_bytecode = True
from paper_numbers import to_raw  # noqa: E402


def gaussian(rng, shape):
    return rng.standard_normal(shape)


def heavy(rng, shape):
    return rng.standard_t(3, shape)


def scaled(rng, shape):
    """Rows and columns of very different size."""
    rows, cols = rng.lognormal(0, 1, shape[:-1] + (1,)), rng.lognormal(0, 1, shape[-1:])
    return rng.standard_normal(shape) * rows * cols


def low_rank(rng, shape):
    left, right = rng.standard_normal((shape[0], 8)), rng.standard_normal((8, shape[1]))
    return left @ right + rng.standard_normal(shape)


def rectified(rng, shape):
    """More zeros than not, and nothing below zero, so that zero is a level of ultradelta."""
    return np.maximum(rng.standard_normal(shape) - 0.5, 0)


def smooth(rng, shape):
    """What a cosine transform is good at."""
    return np.cumsum(np.cumsum(rng.standard_normal(shape), 0), 1) / np.sqrt(shape[0] * shape[1])


def constant(_, shape):
    """No spread at all: one level, one singular value, one coefficient a patch."""
    return np.ones(shape)


# name, dtype of base and fine-tune, shape, size of the base's weights and of
# differences, what these are like. Sizes differ, so that there is one order by
# deviation. Weights of 0.001 and less let a 16-bit fine-tune show its differences.
MATRICES = [
    ("model.layers.0.self_attn.q_proj.weight", "BF16", "BF16", (128, 320), .02, 1e-3, gaussian),
    ("model.layers.0.self_attn.k_proj.weight", "F32", "F32", (67, 515), .001, 3e-4, heavy),
    ("model.layers.0.self_attn.v_proj.weight", "F32", "F32", (144, 200), 1e-4, 2e-3, low_rank),
    ("model.layers.0.self_attn.o_proj.weight", "BF16", "BF16", (160, 256), 0, 5e-4, rectified),
    ("model.layers.0.mlp.up_proj.weight", "F16", "F16", (256, 192), .02, 1.5e-3, scaled),
    ("model.layers.0.mlp.down_proj.weight", "BF16", "F32", (512, 96), .02, 4e-4, gaussian),
    ("model.layers.1.self_attn.q_proj.weight", "F32", "F32", (100, 170), 0, 3e-4, constant),
    ("model.layers.1.mlp.experts.gate_up_proj", "BF16", "BF16", (3, 96, 130), .001, 8e-4, gaussian),
    ("model.layers.1.mlp.up_proj.weight", "F32", "BF16", (65, 701), 1e-4, 6e-4, smooth),
    ("model.layers.1.mlp.down_proj.weight", "F32", "F32", (300, 256), .02, 7e-4, gaussian),
]


def save(path, tensors):
    header, data = {}, b""
    for name, dtype, values in tensors:
        raw = to_raw(values, dtype)
        header[name] = {"dtype": dtype, "shape": list(values.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def main():
    rng = np.random.default_rng(2024)
    base, tune = [], []
    for name, base_dtype, dtype, shape, weight, size, kind in MATRICES:
        weights = weight * rng.standard_normal(shape)
        base.append((name, base_dtype, weights))
        tune.append((name, dtype, weights + size * kind(rng, shape)))
        # what no codec here takes
        vector = name.replace("weight", "bias"), base_dtype, rng.standard_normal(shape[-1])
        if vector[0] != name:
            base.append(vector)
            tune.append(vector)
    save(sys.argv[1], base)
    save(sys.argv[2], tune)
    shards = int(sys.argv[4])
    for i in range(shards):
        save("%s-%05d-of-%05d.safetensors" % (sys.argv[3], i + 1, shards), tune[i::shards])


main()
