#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""load_bench: transformers' from_pretrained of a sharded 2 GiB model, cold, 1 GB/s disk, against plain ext4.

The fine-tune is cold on either side. Its base is in memory (it is shared by all
fine-tunes, so it mostly is), and in rows of their own on the disk as well.
"""
import argparse
import glob
import json
import os
import shutil
import sys

from bench import Disk, Results, Tools, alternate, deltafs, evict, note, quartiles, run, warm

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--venv", required=True, help="Python environment with torch and transformers")
    parser.add_argument("--gib", type=float, default=2.1)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--json", default="load_bench.json")
    args = parser.parse_args()
    tools, results, python = Tools(args.build), Results(), f"{args.venv}/bin/python"
    store, mount, plain = f"{args.work}/store", f"{args.work}/mnt", f"{args.work}/plain"
    for left in (store, plain):
        shutil.rmtree(left, ignore_errors=True)
    run(python, f"{HERE}/make_llama.py", f"{store}/base", plain, str(args.gib))
    shutil.copytree(plain, f"{store}/tuned")
    run(tools.ctl, "base", "add", store, f"{store}/base")
    run(tools.ctl, "encode", "-r", f"{store}/tuned")
    shards, bases = glob.glob(f"{plain}/*.safetensors"), glob.glob(f"{store}/base/*.safetensors")
    coded = glob.glob(f"{store}/tuned/*.safetensors")

    def ours(base):
        evict(tools, *coded)
        base(*bases)
        with deltafs(tools, store, mount, "tuned/config.json"):
            evict(tools, *glob.glob(f"{mount}/tuned/*.safetensors"))
            return json.loads(run(python, f"{HERE}/load_model.py", f"{mount}/tuned"))

    def theirs():
        evict(tools, *shards)
        return json.loads(run(python, f"{HERE}/load_model.py", plain))

    contestants = {"base warm": lambda: ours(warm), "ext4": theirs,
                   "base cold": lambda: ours(lambda *files: evict(tools, *files))}
    took = {name: [] for name in contestants}
    contestants["ext4"]()  # Python and its libraries come from the same disk
    with Disk(args.work, 10**9):
        for _, name in alternate(list(contestants), args.pairs):
            took[name].append(contestants[name]())
            note(f"{name} {took[name][-1]['seconds']:.2f} s")
    if len({r["sum"] for rs in took.values() for r in rs}) != 1:
        sys.exit("bench: the loaded parameters differ")
    seconds = {name: quartiles([r["seconds"] for r in rs])[1] for name, rs in took.items()}
    for name, goal in (("base warm", 1.0), ("base cold", None)):
        results.add_ratio(f"from_pretrained, 1 GB/s disk, {name}: our time over that of ext4",
                          [a["seconds"] / b["seconds"] for a, b in zip(took[name], took["ext4"])],
                          goal, at_most=True, seconds=seconds)
    results.save(args.json)
    return 1 if any(row["met"] is False for row in results.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
