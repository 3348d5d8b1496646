#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy_shapes: promise 1, layers by their names that are none by shape, dtype or base: vectors, slices, integers, FP8, F64, stacks, what the base lacks or has otherwise, rows that were added, what is the base's, whatever include= says: bits are given up of float matrices alone.
# test: timeout=300
. "$(dirname "$0")/lossy_common.sh"

cat >shapes.py <<'PY'
import os, random, struct, subprocess, sys
from lossy_pair import PACK, UNIT, gauss, load, moved, save

rng = random.Random(9)
base, tune, exact, lossy, alike = [], [], set(), set(), {}

def count(shape):
    n = 1
    for dim in shape:
        n *= dim
    return n

def values(dtype, shape):
    if dtype in PACK:
        weights = gauss(rng, count(shape), 0.02)
        return PACK[dtype](weights), PACK[dtype](moved(rng, weights, 0.001))
    if dtype == "F64":
        weights = gauss(rng, count(shape), 0.02)
        return struct.pack(f"<{len(weights)}d", *weights), struct.pack(f"<{len(weights)}d", *moved(rng, weights, 0.001))
    first = rng.randbytes(count(shape) * UNIT[dtype]) if dtype != "BOOL" else bytes(rng.getrandbits(1) for _ in range(count(shape)))
    return first, bytes(b ^ (rng.random() < 0.1) for b in first)

def add(what, dtype, shape, where, of_base=None, same=False):
    name = f"model.layers.{len(tune)}.{what}.q_proj.weight"
    a, b = values(dtype, shape)
    if of_base:	# the base has the name, as something else
        base.append((name, *of_base, PACK[of_base[0]](gauss(rng, count(of_base[1]), 0.02))))
    elif where is not None:
        base.append((name, dtype, shape, a))
    tune.append((name, dtype, shape, a if same else b))
    (lossy if where else exact).add(name)
    return name

for dtype in PACK:
    wide = 512 * 2 // UNIT[dtype]
    add("smallest", dtype, [64, wide], True)
    add("too small", dtype, [64, wide - 1], False)
    add("vector", dtype, [64 * wide], False)
    add("one row", dtype, [1, 64 * wide], False)
    add("one column", dtype, [64 * wide, 1], False)
    add("63 rows", dtype, [63, 2 * wide], False)
    add("63 columns", dtype, [2 * wide, 63], False)
    add("stack of one", dtype, [1, 64, wide], True)
    add("stack", dtype, [3, 64, wide], True)
    add("stack of rows", dtype, [wide, 1, 128], False)
    add("stack of columns", dtype, [wide, 128, 1], False)
    add("kernel", dtype, [64, 64, 3, 3], False)
    add("no rows", dtype, [0, wide], False)
    add("no columns", dtype, [128, 0], False)
    add("the base's", dtype, [96, wide], False, same=True)
    add("absent", dtype, [96, wide], None)
    add("transposed", dtype, [96, 300 * 2 // UNIT[dtype] + 200], False, of_base=(dtype, [300 * 2 // UNIT[dtype] + 200, 96]))
for dtype in ("F64", "I64", "I32", "U32", "I16", "I8", "F8_E4M3", "BOOL"):
    add("of " + dtype, dtype, [96, 800], False)
tune.append(("model.layers.0.mlp.qweight", "I32", [96, 384], rng.randbytes(96 * 384 * 4)))
exact.add(tune[-1][0])

# Rows that the base has not are as they were, whatever becomes of the others.
grown = add("grown", "BF16", [136, 512], True, of_base=("BF16", [128, 512]))
base[-1] = (grown, "BF16", [128, 512], base[-1][3])
# Tied: the same tensor three times, once in the base; as an embedding it is exact, and so are its twins, whatever they are called.
head, headed = values("BF16", [128, 512])
base.append(("model.embed_tokens.weight", "BF16", [128, 512], head))
for name in ("model.embed_tokens.weight", "lm_head.weight", "decoder.weight"):
    tune.append((name, "BF16", [128, 512], headed))
    exact.add(name)

def run(*words):
    ran = subprocess.run(["deltafsctl", *words], capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"{words}: {ran.stderr}")

def check(codec, options, kept):
    spec = codec + (":" + options if options else "")
    run("encode", "--yes", "--codec", spec, "--base", "base", "tune", "-o", "coded")
    run("decode", "--base", "base", "coded", "-o", "back")
    (got, top), (want, same) = load("back"), load("tune")
    assert top == same, f"{spec}: the header"
    changed = {name for name in want if got[name] != want[name]}
    assert not changed & kept, f"{spec}: gave up bits of {sorted(changed & kept)}"
    assert codec != "bitdelta" or lossy <= changed, f"{spec}: nothing given up of {sorted(lossy - changed)}"
    assert len(changed) > 4, f"{spec}: {changed}"
    rows = 128 * 512 * 2
    assert got[grown][rows:] == want[grown][rows:], f"{spec}: rows that the base has not are others"

save("base", base)
save("tune", tune, {"format": "pt", "no\u0308te": "\U0001f9e0" * 50})
heads = {"model.embed_tokens.weight", "lm_head.weight", "decoder.weight"}
for codec in ("bitdelta", "delta-dct", "ultradelta", "delta-come"):
    check(codec, "", exact)
    check(codec, "include=*,embeddings=lossy,norms=lossy", exact - heads)

# Files in which there is nothing to give up are as they were.
for name, tensors, metadata in (("nothing", [], None), ("metadata", [], {"format": "pt", "x": "y" * 100000}),
                                ("vectors", [t for t in tune if len(t[2]) == 1], None)):
    save("tune", tensors, metadata)
    run("encode", "--yes", "--codec", "bitdelta:include=*", "--base", "base", "tune", "-o", "coded")
    if open("coded", "rb").read() != open("tune", "rb").read():	# it shrank
        run("decode", "--base", "base", "coded", "-o", "back")
        assert open("back", "rb").read() == open("tune", "rb").read(), name
PY
timeout -s KILL 200 python3 shapes.py || fail "see above"
