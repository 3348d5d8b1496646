#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""lossy_read_bench: fine-tunes that gave up bits, read through deltafs; and the memory that coding them takes.

One synthetic pair (1 GiB of bf16 at r = 1e-2) for reading, one of 4 GiB for memory.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time

from bench import Results, Tools, note, run
from read_bench import GIB, Pair, ext4, memory_server

READ = ("bitdelta", "ultradelta")
CODED = ("bitdelta", "delta-dct", "ultradelta", "ultradelta:mask=stored", "delta-come")


def make_pair(tools, out, gib):
    os.makedirs(os.path.dirname(out), exist_ok=True)
    run(tools.pair, "--params", str(int(gib * (1 << 29))), "--hidden", "1024", "--vocab", "32000", "--r", "1e-2", "--seed", "1",
        out)
    return f"{out}/base/model.safetensors", f"{out}/tune/model.safetensors"


def reading(tools, work, results, pairs):
    base, file = make_pair(tools, f"{work}/pair", 1)
    for codec in READ:
        pair = Pair(tools, f"{work}/{codec}", base, file, codec)
        note(f"{codec}: {pair.size / GIB:.2f} GiB in {os.path.getsize(pair.coded)} bytes")
        memory_server(pair, results, pairs, 4096, 0.6, f"{codec}: ")
        ext4(pair, results, pairs, 2 * 10**8, True, 5.0, f"{codec}: ")
        shutil.rmtree(pair.work)


def coding(tools, work, results, codecs):
    base, file = make_pair(tools, f"{work}/pair", 4)
    for codec in codecs:
        began = time.monotonic()
        child = subprocess.Popen([tools.ctl, "encode", "--yes", "--codec", codec, "--base", base, "-o", f"{work}/out", file],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            sys.exit(f"bench: encode by {codec} failed")
        results.add(f"{codec}: memory of coding a model of 4 GiB", usage.ru_maxrss / 1024, 1024, "MiB",
                    {"gb_per_s": os.path.getsize(file) / (time.monotonic() - began) / 1e9}, at_most=True)
        os.unlink(f"{work}/out")
    shutil.rmtree(f"{work}/pair")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="build directory")
    parser.add_argument("--work", required=True, help="an empty directory on the disk to measure")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--only", default="read,code")
    parser.add_argument("--codecs", default=",".join(CODED), help="whose memory is measured (all)")
    parser.add_argument("--json", default="lossy_read_bench.json")
    args = parser.parse_args()
    tools, results = Tools(args.build), Results()
    if "read" in args.only.split(","):
        reading(tools, f"{args.work}/read", results, args.pairs)
    if "code" in args.only.split(","):
        coding(tools, args.work, results, args.codecs.split(","))
    results.save(args.json)
    return 1 if any(row["met"] is False for row in results.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
