#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""size_bench: bytes on disk of whole containers, against the goals for exact coding.

Synthetic pairs as tests/tools/make_pair makes them; with --real-base and
--real-file a truly trained pair as well, beside BitX planes of the same pair.
"""
import argparse
import json
import os
import shutil
import sys

from bench import Results, Tools, note, run


def container(tools, work, file, base=None):
    out = f"{work}/out.dfs"
    run(tools.ctl, "encode", *(["--base", base] if base else []), file, "-o", out)
    return out


def bits(tools, work, base, file, params):
    out = container(tools, work, file, base)
    value = os.path.getsize(out) * 8 / params
    os.unlink(out)
    return value


def make_pair(tools, work, *options):
    """A pair in work/pair; paths of its base and fine-tune."""
    run(tools.pair, "--seed", "3", *options, f"{work}/pair")
    return f"{work}/pair/base/model.safetensors", f"{work}/pair/tune/model.safetensors"


def synthetic(tools, work, results, params):
    count = ["--params", str(params), "--hidden", "1024"]  # tensors of 1 to 4 M values, as models have
    for r, goal in (("1e-3", 1.05), ("3e-3", 2.35), ("1e-2", 4.05), ("3e-2", 5.7)):
        base, file = make_pair(tools, work, *count, "--r", r)
        results.add(f"bf16, r = {r}", bits(tools, work, base, file, params_of(file)), goal, "bits", at_most=True)
    for r, goal in (("1e-3", 3.7), ("1e-2", 7.1)):
        base, file = make_pair(tools, work, *count, "--r", r, "--tune-dtype", "f16")
        results.add(f"bf16 base, F16 fine-tune, r = {r}", bits(tools, work, base, file, params_of(file)),
                    goal, "bits", at_most=True)
    for moved, goal in (("0.001", 400), ("0.01", 110)):
        base, file = make_pair(tools, work, *count, "--moved", moved)
        out = container(tools, work, file, base)
        results.add(f"{float(moved):.1%} of the weights moved by an ulp or two",
                    os.path.getsize(file) / os.path.getsize(out), goal, "x")
    out = container(tools, work, base)
    results.add("solo bf16, no base", os.path.getsize(base) / os.path.getsize(out), 1.49, "x")
    shutil.copyfile(base, file)
    out = container(tools, work, file, base)
    results.add("identical file, share of it", os.path.getsize(out) / os.path.getsize(base), 0.002, "x", at_most=True)


def params_of(file):
    """Values in a file whose dtypes are all two bytes wide."""
    with open(file, "rb") as f:
        header = json.loads(f.read(int.from_bytes(f.read(8), "little")))
    return sum(t["data_offsets"][1] - t["data_offsets"][0] for n, t in header.items() if n != "__metadata__") // 2


def real(tools, work, results, base, file):
    params, planes = params_of(file), f"{work}/planes"
    run(tools.bitx, "pack", base, file, planes)
    bitx = os.path.getsize(planes) * 8 / params
    results.add("real fine-tune, BitX planes (4.37 within 8 %)", abs(bitx / 4.37 - 1), 0.08, "off", {"bits": bitx},
                at_most=True)
    out = container(tools, work, file, base)
    ours = os.path.getsize(out) * 8 / params
    results.add("real fine-tune, whole container", ours, 3.3, "bits", at_most=True)
    results.add("real fine-tune, of BitX", ours / bitx, 0.74, "x", at_most=True)
    linear = json.loads(run(tools.ctl, "info", "--json", out))["linear"]
    results.add("real fine-tune, linears", linear["bits_per_param"], 5.6, "bits", at_most=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--params", type=int, default=32 << 20)
    parser.add_argument("--real-base")
    parser.add_argument("--real-file")
    parser.add_argument("--json", default="size_bench.json")
    args = parser.parse_args()
    tools, results = Tools(args.build), Results()
    os.makedirs(args.work, exist_ok=True)
    synthetic(tools, args.work, results, args.params)
    if args.real_base:
        real(tools, args.work, results, args.real_base, args.real_file)
    else:
        note("no real pair given: see examples/train_finetune.py")
    results.save(args.json)
    return 1 if any(row["met"] is False for row in results.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
