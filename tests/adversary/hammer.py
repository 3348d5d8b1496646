#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""hammer: eight readers of one file for some seconds, each pass judged by itself.

    hammer.py SECONDS FILE VERSION...

A pass opens FILE anew and reads it by pread in steps of a size of its own, one
reader by a mapping. What a pass got must be the bytes of one VERSION at the
same places; an error refuses the pass. Prints passes: right, refused, wrong.
"""
import mmap
import os
import random
import sys
import time

SECONDS, FILE = float(sys.argv[1]), sys.argv[2]
VERSIONS = [open(path, "rb").read() for path in sys.argv[3:]]
STEPS = [4096, 10007, 65536, 131072, 1 << 20, 7 << 20, 300000, 0]


def by_pread(fd, step):
    at, parts = 0, []
    while part := os.pread(fd, step, at):
        os.posix_fadvise(fd, at, len(part), os.POSIX_FADV_DONTNEED)
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def by_mapping(fd):
    """Copies pieces into a pipe: a page that cannot be had is EFAULT there and no SIGBUS."""
    size = os.fstat(fd).st_size
    area = mmap.mmap(fd, size, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
    parts, (out, into) = [], os.pipe()
    try:
        for at in range(0, size, 65536):
            piece = memoryview(area)[at:at + 65536]
            # A page that cannot be had in the middle of a piece shortens the write.
            if os.write(into, piece) != len(piece):
                raise OSError("refused")
            parts.append(os.read(out, len(piece)))
    finally:
        os.close(out)
        os.close(into)
    return b"".join(parts)


def one_pass(step):
    try:
        fd = os.open(FILE, os.O_RDONLY)
    except OSError:
        return "refused"
    try:
        got = by_pread(fd, step) if step else by_mapping(fd)
    except (OSError, ValueError):
        return "refused"
    finally:
        os.close(fd)
    if got in VERSIONS:
        return "right"
    # A file that was cut while it was read ends early; what came is still one version's.
    return "refused" if any(version.startswith(got) for version in VERSIONS) else "wrong"


def reader(number):
    counts = {"right": 0, "refused": 0, "wrong": 0}
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        counts[one_pass(STEPS[number])] += 1
        if random.random() < 0.2:
            time.sleep(0.01)
    return counts


def main():
    pipes = []
    for number in range(len(STEPS)):
        out, into = os.pipe()
        if os.fork() == 0:
            counts = reader(number)
            os.write(into, b"%d %d %d" % (counts["right"], counts["refused"], counts["wrong"]))
            os._exit(0)
        os.close(into)
        pipes.append(out)
    total = [0, 0, 0]
    for out in pipes:
        counts = os.read(out, 100).split()
        if len(counts) != 3:
            sys.exit("a reader was killed")
        total = [a + int(b) for a, b in zip(total, counts)]
    for _ in pipes:
        os.wait()
    print(*total)


main()
