# SPDX-License-Identifier: GPL-2.0-or-later
"""replay: a disk as of each write of a log in the format of Linux's dm-log-writes.

    replay.py points LOG                 offset in LOG after each write, one a line
    replay.py apply LOG FROM TO IMAGE    the writes that lie between these offsets
"""
import os
import struct
import sys

DISCARD = 4


def entries(log):
    """(offset of the data, offset of the end, sector, sectors, flags) of each; sectors are the log's own."""
    magic, _, count, sector_size = struct.unpack("<QQQL", log.read(28))
    assert magic == 0x6A736677736872, "no log of writes"
    at = sector_size
    for _ in range(count):
        log.seek(at)
        sector, sectors, flags, _ = struct.unpack("<QQQQ", log.read(32))
        data = at + sector_size
        at = data + (0 if flags & DISCARD else sectors * sector_size)
        yield data, at, sector * sector_size, sectors * sector_size, flags


def points(log):
    for _, end, _, length, _ in entries(log):
        if length:
            print(end)


def apply(log, first, last, image):
    with open(image, "r+b") as disk:
        for data, end, to, length, flags in entries(log):
            if end <= first or not length:
                continue
            if end > last:
                break
            disk.seek(to)
            disk.write(bytes(length) if flags & DISCARD else os.pread(log.fileno(), length, data))


with open(sys.argv[2], "rb") as log_file:
    if sys.argv[1] == "points":
        points(log_file)
    else:
        apply(log_file, int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
