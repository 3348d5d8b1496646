#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""read_bench: reading a fine-tune through deltafs, beside everything else one could do.

One pair of files (>= 1 GiB of bf16 at r = 1e-2 unless --base and --file name a
real one); each part prints rows as it goes.
"""
import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

from bench import (Disk, Results, Tools, all_resident, allocated, alternate, cpu_seconds, deltafs, evict, loop_mount,
                   note, quartiles, read_pass, run, server, warm)

GIB = 1 << 30


class Pair:
    """A base and a fine-tune on disk, and the fine-tune in every form that is compared."""

    def __init__(self, tools, work, base, file, codec="exact"):
        self.tools, self.work = tools, work
        self.store, self.mount = f"{work}/store", f"{work}/mnt"
        self.base, self.plain = f"{self.store}/base/model.safetensors", f"{work}/plain.safetensors"
        self.coded = f"{self.store}/tuned/model.safetensors"
        self.shown = f"{self.mount}/tuned/model.safetensors"
        for d in ("base", "tuned"):
            os.makedirs(f"{self.store}/{d}", exist_ok=True)
        shutil.copyfile(base, self.base)
        shutil.copyfile(file, self.coded)
        run(tools.ctl, "base", "add", self.store, f"{self.store}/base")
        run(tools.ctl, "encode", "--yes", "--codec", codec, self.coded)
        # What is given up is given up on either side.
        run(tools.ctl, "decode", "-o", self.plain, self.coded)
        self.size = os.path.getsize(self.plain)

    def view(self, options="", read_ahead=None, env=None):
        return deltafs(self.tools, self.store, self.mount, "tuned/model.safetensors",
                       options, read_ahead=read_ahead, env=env)


def cold_deltafs(pair, mode, base_warm, read_ahead=None, env=None):
    """One pass with nothing of the file in memory, not even in the daemon."""
    evict(pair.tools, pair.coded, pair.plain)
    warm(pair.base) if base_warm else evict(pair.tools, pair.base)
    with pair.view(read_ahead=read_ahead, env=env) as daemon:
        evict(pair.tools, pair.shown)
        before = cpu_seconds(daemon.pid)
        result = read_pass(pair.tools, mode, pair.shown)
        result["daemon_cpu_s"] = cpu_seconds(daemon.pid) - before
    return result


def cold_plain(pair, mode):
    evict(pair.tools, pair.plain, pair.coded)
    return read_pass(pair.tools, mode, pair.plain)


def cold_memserver(pair, mode, read_ahead):
    with server([pair.tools.memserver, pair.plain, pair.mount], pair.mount, "file", read_ahead):
        evict(pair.tools, f"{pair.mount}/file")
        return read_pass(pair.tools, mode, f"{pair.mount}/file")


def compare(pairs, ours, theirs):
    """Seconds of theirs over seconds of ours, pair by pair; and the speeds."""
    took = {"ours": [], "theirs": []}
    for _, name in alternate(["ours", "theirs"], pairs):
        took[name].append((ours if name == "ours" else theirs)())
    ratios = [b["seconds"] / a["seconds"] for a, b in zip(took["ours"], took["theirs"])]
    sums = {r["sum"] for rs in took.values() for r in rs}
    if len(sums) != 1:
        sys.exit("bench: the contestants read different bytes")
    return ratios, {name: quartiles([r["gb_per_s"] for r in rs])[1] for name, rs in took.items()}


def memory_server(pair, results, pairs, read_ahead, goal, what=""):
    for mode in ("seq", "mmap"):
        ratios, speed = compare(pairs, lambda: cold_deltafs(pair, mode, True, read_ahead),
                                lambda: cold_memserver(pair, mode, read_ahead))
        results.add_ratio(f"{what}cold {mode} against the FUSE memory server, read-ahead {read_ahead} KiB",
                          ratios, goal, gb_per_s=speed)


def against_memory(pair, results, pairs):
    for read_ahead, goal in ((128, 0.6), (4096, 0.45)):
        memory_server(pair, results, pairs, read_ahead, goal)


def ext4(pair, results, pairs, rate, base_warm, goal, what=""):
    name = "the disk as it is" if not rate else f"a {rate // 10**6} MB/s disk"
    with Disk(pair.work, rate):
        for mode in ("seq", "mmap"):
            ratios, speed = compare(pairs, lambda: cold_deltafs(pair, mode, base_warm), lambda: cold_plain(pair, mode))
            results.add_ratio(f"{what}cold {mode} against ext4 on {name}, base {'warm' if base_warm else 'cold'}",
                              ratios, goal, gb_per_s=speed)


def against_ext4(pair, results, pairs):
    for rate, goals in ((0, (None, None)), (10**9, (1.0, 0.6)), (2 * 10**8, (3.0, 0.75))):
        for base_warm, goal in zip((True, False), goals):
            ext4(pair, results, pairs, rate, base_warm, goal)


def status(mountpoint):
    """The daemon's own counts."""
    return json.loads(os.getxattr(mountpoint, "user.deltafs.status"))


def warm_pass(pair, mode, path, asked=None):
    """A pass over a file that was wholly in memory before it and after it; read in anew, as pages lie by luck."""
    evict(pair.tools, path)
    for _ in range(10):
        warm(path)
        before = status(pair.mount)["read_requests"] if asked is not None else 0
        took = read_pass(pair.tools, mode, path)
        if all_resident(pair.tools, path):
            if asked is not None:
                asked.append(status(pair.mount)["read_requests"] - before)
            return took
    sys.exit(f"bench: {path}: does not stay in memory")


def warm_reads(pair, results, pairs):
    """Against ext4, and against the page cache of FUSE: pages of ext4 come in larger pieces."""
    asked, served = [], f"{pair.work}/served"
    # Read-ahead shapes the pages, so both have what the daemon sets.
    with pair.view(read_ahead=4096), server([pair.tools.memserver, pair.plain, served], served, "file", 4096):
        for mode in ("seq", "mmap"):
            for name, other in (("ext4", pair.plain), ("the FUSE memory server", f"{served}/file")):
                ratios, speed = compare(pairs, lambda: warm_pass(pair, mode, pair.shown, asked),
                                        lambda: warm_pass(pair, mode, other))
                results.add_ratio(f"warm {mode} read against the page cache of {name}", ratios, 1.0, gb_per_s=speed)
    results.add("READ requests of a warm pass", min(asked), 0, at_most=True, detail={"all": asked})


def first_bytes(pair, results, pairs):
    medians = []
    for seed in range(pairs):
        warm(pair.base)
        evict(pair.tools, pair.coded)
        with pair.view():
            evict(pair.tools, pair.shown)
            medians.append(json.loads(run(pair.tools.readfile, "random", pair.shown, str(seed), "64"))["median_ms"])
    results.add("first 4 KiB of a random place, cold, base warm", quartiles(medians)[1], 1.0, "ms",
                {"quartiles": quartiles(medians)}, at_most=True)


def many_readers(pair, results, pairs, readers=8):
    def load(path):
        start = time.monotonic()
        jobs = [subprocess.Popen([pair.tools.readfile, "mmap", path], stdout=subprocess.PIPE)
                for _ in range(readers)]
        sums = {json.loads(job.communicate()[0])["sum"] for job in jobs}
        return {"seconds": time.monotonic() - start, "sum": sums.pop(), "gb_per_s": 0}

    def ours():
        evict(pair.tools, pair.coded)
        warm(pair.base)
        with pair.view():
            evict(pair.tools, pair.shown)
            took = load(pair.shown)
            decoded.append(status(pair.mount)["chunks_decoded"])
        return took

    def theirs():
        evict(pair.tools, pair.plain)
        return load(pair.plain)

    decoded = []
    with Disk(pair.work, 10**9):
        ratios, _ = compare(pairs, ours, theirs)
    results.add_ratio(f"{readers} processes at once, 1 GB/s disk: our time over that of ext4",
                      [1 / r for r in ratios], 1.2, at_most=True)
    chunks = json.loads(run(pair.tools.ctl, "info", "--json", pair.coded))
    total = sum(c["chunks"] for name, c in chunks["codecs"].items())
    results.add("chunks decoded, of the chunks there are", max(decoded) / total, 1.0, "x", at_most=True)


def plain_through_mount(pair, results, pairs):
    copy = f"{pair.store}/plain.bin"
    if not os.path.exists(copy):
        os.link(pair.plain, copy)

    def ours():
        with pair.view(read_ahead=128) as _:
            warm(pair.plain)
            evict(pair.tools, f"{pair.mount}/plain.bin")
            return read_pass(pair.tools, "seq", f"{pair.mount}/plain.bin")

    ratios, speed = compare(pairs, ours, lambda: cold_memserver(pair, "seq", 128))
    results.add_ratio("plain file through the mount against the FUSE memory server", ratios, 0.8, gb_per_s=speed)


def kernels(pair, results, pairs):
    for level in ("portable", "avx2", "avx512"):
        runs = []
        for _ in range(pairs):
            warm(pair.coded, pair.base)
            with pair.view(env={"DELTAFS_CPU": level}) as daemon:
                evict(pair.tools, pair.shown)
                before = cpu_seconds(daemon.pid)
                took = read_pass(pair.tools, "seq", pair.shown)
                runs.append((took["gb_per_s"], cpu_seconds(daemon.pid) - before))
        results.add(f"no disk, {level}: speed", quartiles([r[0] for r in runs])[1], None, "GB/s")
        results.add(f"no disk, {level}: CPU seconds of the daemon per GiB",
                    quartiles([r[1] for r in runs])[1] * GIB / pair.size, None, "s")


def images(pair):
    """The same file on the compressing file systems: (name, image, kind, options)."""
    single = f"{pair.work}/single"
    os.makedirs(single, exist_ok=True)
    if not os.path.exists(f"{single}/file"):
        os.link(pair.plain, f"{single}/file")
    squash, erofs, btrfs = (f"{pair.work}/{n}.img" for n in ("squashfs", "erofs", "btrfs"))
    run("mksquashfs", single, squash, "-comp", "zstd", "-noappend", "-quiet", "-no-progress")
    run("mkfs.erofs", "-zlz4", erofs, single)
    with open(btrfs, "wb") as f:
        f.truncate(pair.size + (1 << 30))
    run("mkfs.btrfs", "-q", btrfs)
    with loop_mount(btrfs, f"{pair.work}/img", "btrfs", "rw,compress-force=zstd:3"):
        shutil.copyfile(pair.plain, f"{pair.work}/img/file")
        os.sync()
    return [("squashfs-zstd", squash, "squashfs"), ("erofs-lz4", erofs, "erofs"), ("btrfs-zstd", btrfs, "btrfs")]


def cold_image(pair, image, kind, mode):
    evict(pair.tools, image)
    with loop_mount(image, f"{pair.work}/img", kind) as device:
        run("blockdev", "--flushbufs", device)
        evict(pair.tools, f"{pair.work}/img/file")
        evict(pair.tools, image)
        return read_pass(pair.tools, mode, f"{pair.work}/img/file")


def other_file_systems(pair, results, pairs):
    for name, image, kind in images(pair):
        ratios, speed = compare(pairs, lambda: cold_deltafs(pair, "seq", True),
                                lambda: cold_image(pair, image, kind, "seq"))
        results.add_ratio(f"cold seq against {name}", ratios, None, gb_per_s=speed)
        results.add(f"size of {name}, of the plain file", allocated(image) / pair.size, None, "x")
        os.unlink(image)


def today(pair, results, venv):
    """What people do today: (name, size, command that makes the plain file again)."""
    out, work = f"{pair.work}/unpacked", pair.work
    run(pair.tools.bitx, "pack", pair.base, pair.plain, f"{work}/file.bitx")
    yield "BitX planes", f"{work}/file.bitx", [pair.tools.bitx, "unpack", pair.base, f"{work}/file.bitx", out]
    run("zstd", "-q", "-f", "-3", "--long=31", f"--patch-from={pair.base}", pair.plain, "-o", f"{work}/file.patch")
    yield ("zstd --patch-from", f"{work}/file.patch",
           ["zstd", "-q", "-f", "-d", "--long=31", "--memory=2048MB", f"--patch-from={pair.base}",
            f"{work}/file.patch", "-o", out])
    if venv:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "zipnn_file.py")
        for name, base in (("ZipNN", ""), ("ZipNN delta", pair.base)):
            packed = f"{work}/file.{name.replace(' ', '-').lower()}"
            run(f"{venv}/bin/python", script, "pack", pair.plain, packed, *([base] if base else []))
            yield name, packed, [f"{venv}/bin/python", script, "unpack", packed, out, *([base] if base else [])]


def decompress_then_read(pair, results, venv, pairs):
    out = f"{pair.work}/unpacked"
    results.add("size of deltafs, of the plain file", allocated(pair.coded) / pair.size, None, "x")
    for name, packed, command in today(pair, results, venv):
        def theirs():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(out)
            evict(pair.tools, packed)
            warm(pair.base)
            start = time.monotonic()
            run(*command)
            took = read_pass(pair.tools, "seq", out)
            took["seconds"] = time.monotonic() - start
            took["gb_per_s"] = took["bytes"] / took["seconds"] / 1e9
            return took

        ratios, speed = compare(pairs, lambda: cold_deltafs(pair, "seq", True), theirs)
        results.add_ratio(f"cold seq against {name}: decompress, then read", ratios, None, gb_per_s=speed)
        results.add(f"size of {name}, of the plain file", allocated(packed) / pair.size, None, "x")
        os.unlink(packed)


PARTS = {
    "memory": against_memory, "ext4": against_ext4, "warm": warm_reads, "first": first_bytes,
    "many": many_readers, "plain": plain_through_mount, "kernels": kernels, "images": other_file_systems,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="build directory")
    parser.add_argument("--work", required=True, help="an empty directory on the disk to measure")
    parser.add_argument("--base", help="a real base file (else a synthetic pair)")
    parser.add_argument("--file", help="its fine-tune")
    parser.add_argument("--mib", type=int, default=1024, help="size of the synthetic pair (1024)")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--venv", help="Python environment with zipnn, for that contestant")
    parser.add_argument("--only", default=",".join([*PARTS, "today"]))
    parser.add_argument("--json", default="read_bench.json")
    args = parser.parse_args()
    tools, results = Tools(args.build), Results()
    os.makedirs(args.work, exist_ok=True)
    base, file = args.base, args.file
    if not base:
        made = f"{args.work}/pair"
        run(tools.pair, "--params", str(args.mib << 19), "--hidden", "1024", "--vocab", "32000", "--r", "1e-2", "--seed", "1", made)
        base, file = f"{made}/base/model.safetensors", f"{made}/tune/model.safetensors"
    pair = Pair(tools, args.work, base, file)
    if not args.base:
        shutil.rmtree(made)
    note(f"{pair.size / GIB:.2f} GiB, stored {allocated(pair.coded) / pair.size:.4f} of it")
    for part in args.only.split(","):
        note(part)
        if part == "today":
            decompress_then_read(pair, results, args.venv, min(args.pairs, 3))
        else:
            PARTS[part](pair, results, args.pairs)
    results.save(args.json)
    return 1 if any(row["met"] is False for row in results.rows) else 0


if __name__ == "__main__":
    sys.exit(main())
