#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""list_bench: `ls -lR` of 10,000 containers through the mount, warm, beside the store itself on its disk."""
import argparse
import os
import shutil
import subprocess
import sys
import time

from bench import Results, Tools, alternate, deltafs, quartiles, run

DIRECTORIES, EACH = 100, 100


def make_store(tools, work):
    """A store with one fine-tune, coded, 10,000 times."""
    store = f"{work}/store"
    run(tools.pair, "--seed", "5", "--params", "2000", "--hidden", "32", "--vocab", "64", f"{work}/pair")
    os.makedirs(f"{store}/many")
    shutil.copytree(f"{work}/pair/base", f"{store}/base")
    shutil.copytree(f"{work}/pair/tune", f"{store}/tune")
    run(tools.ctl, "base", "add", store, f"{store}/base")
    run(tools.ctl, "encode", f"{store}/tune/model.safetensors")
    for d in range(DIRECTORIES):
        os.mkdir(f"{store}/many/{d}")
        for f in range(EACH):
            shutil.copy2(f"{store}/tune/model.safetensors", f"{store}/many/{d}/{f}.safetensors")
    return store


def listed(directory, size):
    """Seconds of one ls -lR; every file must show its own size."""
    start = time.monotonic()
    done = subprocess.run(["ls", "-lR", directory], stdout=subprocess.PIPE, check=True, text=True)
    seconds = time.monotonic() - start
    files = [line for line in done.stdout.splitlines() if line.endswith(".safetensors")]
    if len(files) != DIRECTORIES * EACH or any(int(line.split()[4]) != size for line in files):
        sys.exit(f"bench: {directory}: {len(files)} files, or not each of {size} bytes")
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--json", default="list_bench.json")
    args = parser.parse_args()
    tools, results = Tools(args.build), Results()
    for name in ("store", "pair"):
        shutil.rmtree(f"{args.work}/{name}", ignore_errors=True)
    os.makedirs(args.work, exist_ok=True)
    store, mount = make_store(tools, args.work), f"{args.work}/mnt"
    shown = os.path.getsize(f"{args.work}/pair/tune/model.safetensors")
    stored = os.path.getsize(f"{store}/tune/model.safetensors")
    took = {"mount": [], "store": []}
    with deltafs(tools, store, mount, "base"):
        listed(f"{mount}/many", shown)
        listed(f"{store}/many", stored)
        for _, name in alternate(["mount", "store"], args.pairs):
            took[name].append(listed(f"{mount}/many", shown) if name == "mount" else listed(f"{store}/many", stored))
    low, mid, high = quartiles(took["mount"])
    results.add("ls -lR of 10,000 containers, warm", mid, 1.0, "s",
                {"quartiles": (low, mid, high), "store": quartiles(took["store"])[1], "n": args.pairs}, at_most=True)
    results.add("the same of the store itself", quartiles(took["store"])[1], unit="s")
    results.save(args.json)
    return 1 if any(row["met"] is False for row in results.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
