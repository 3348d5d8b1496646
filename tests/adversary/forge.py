#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""forge: containers that no encoder makes.

    forge.py exchange IN OUT [fit]     payloads of two chunks of one length trade places
    forge.py tails A B                 two containers trade their second halves
    forge.py hostile IN OUT            OUT-FIELD-N: a field of both superblocks is impossible, hashes made to fit
    forge.py terabyte OUT              a sound container of 2^40 zeros without a base
    forge.py steal BASE OUT NAME       shows BASE by codec copy, and calls it NAME
    forge.py wrap FILE OUT             FILE stored as it is
"""
import os
import struct
import sys

from read_container import h64, h128
from surgery import Container, stored

BASE, COPY, STORED = 1, 0, 1
BYTES, OPAQUE = 0, 0
GRID = 128 << 10


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def exchange(source, target, fit=""):
    """Two chunks that could stand for each other, as far as lengths go."""
    container = Container(read(source))
    by_length = {}
    for chunk in container.chunks:
        if chunk["len"] == 0:
            continue
        other = by_length.setdefault((chunk["len"] if not fit else 0, chunk["codec"]), chunk)
        if other is chunk:
            continue
        a, b = container.payload(other), container.payload(chunk)
        first, second = bytes(container.payloads[a]), bytes(container.payloads[b])
        n = min(len(first), len(second))
        if first[:n] == second[:n]:
            continue
        container.payloads[a.start:a.start + n] = second[:n]
        container.payloads[b.start:b.start + n] = first[:n]
        if fit:
            container.fit_payload_hashes()
        write(target, container.pack())
        return
    sys.exit("no two chunks of one length")


def tails(first, second):
    a, b = read(first), read(second)
    write(first, a[:len(a) // 2] + b[len(b) // 2:])
    write(second, b[:len(b) // 2] + a[len(a) // 2:])


FIELDS = {"version": 16, "incompatible": 24, "size": 40, "container_size": 64, "meta_off": 72, "meta_len": 80}
VALUES = [0, 1, 255, 256, 257, 4096, 1 << 31, 1 << 32, 1 << 47, 1 << 48, 1 << 62, 3 << 62, (1 << 64) - 256, (1 << 64) - 1]


def hostile(source, target):
    original = read(source)
    for name, offset in FIELDS.items():
        for i, value in enumerate(VALUES):
            data = bytearray(original)
            for block in (0, len(data) - 256):
                struct.pack_into("<Q", data, block + offset, value)
                for at in (56, 248):
                    struct.pack_into("<Q", data, block + at, h64(data[block:block + at], 0))
            # The lossy flag alone changes nothing about how bytes are decoded.
            if data != original and (name, value) != ("incompatible", 1):
                write(f"{target}-{name}-{i}", data)


def terabyte(target):
    size, row = 1 << 40, 16 << 20
    container = stored(b"", [])
    container.size = size
    container.segments.append(dict(
        off=0, len=size, cols=row, first_chunk=0, n_chunks=size // row, first_piece=0, n_pieces=1, first_table=0,
        n_tables=0, chunk_rows=1, kind=OPAQUE, dtype=BYTES, drop=0, predictor=BASE, params_off=0, params_len=0,
        reserved=0))
    container.pieces.append(dict(len=size, base_off=0, base=0xffffffff, dtype=BYTES, reserved=bytes(3)))
    zeros = bytes(row)
    for i in range(size // row):
        # Hashing a terabyte takes too long here: the first and the last rows are right, the others will be refused.
        right = i in (0, 1, size // row - 1)
        container.chunks.append(dict(off=256, len=0, codec=COPY, reserved=bytes(3), payload_hash=0,
                                     decoded_hash=h64(zeros, i * row) if right else 7))
    write(target, container.pack())


def steal(base, target, name):
    """What an attacker would write who knows the hashes of a file that he may not read."""
    shown = read(base)
    container = stored(shown, [dict(
        len=len(shown), kind=OPAQUE, dtype=BYTES, predictor=BASE,
        chunks=[(b"", COPY, min(GRID, len(shown) - at)) for at in range(0, len(shown), GRID)],
        pieces=[dict(len=len(shown), base_off=0, base=0, dtype=BYTES)])],
        bases=[dict(hash=h128(shown), size=len(shown), model=bytes(16), name_off=0, name_len=len(os.fsencode(name)),
                    origin_off=len(os.fsencode(name)), origin_len=0, reserved=0)])
    container.sections["strings"] = bytearray(os.fsencode(name) + b"\0")
    write(target, container.pack())


def wrap(source, target):
    data = read(source)
    write(target, stored(data, [dict(len=len(data), chunks=[
        (data[at:at + GRID], STORED, len(data[at:at + GRID])) for at in range(0, len(data), GRID)])]).pack())


COMMANDS = {"exchange": exchange, "tails": tails, "hostile": hostile, "terabyte": terabyte, "steal": steal, "wrap": wrap}
COMMANDS[sys.argv[1]](*sys.argv[2:])
