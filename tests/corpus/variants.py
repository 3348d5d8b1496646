# SPDX-License-Identifier: GPL-2.0-or-later
"""variants: what tables and payloads of the codecs that give up bits can say, and which of it a chunk says.

Good containers must together show all of WANTED; reference.py asks them.
"""

import struct
from types import SimpleNamespace

import container_dct
import container_ultradelta


def bitdelta(table, *_):
    return {("scale", ("scalar", "row", "column")[table[0]]), ("rounds", table[1])}


def delta_dct(table, *_):
    t = container_dct.Table(table)
    levels = "minmax" if t.minmax else "lloyd"
    seen = {("p", t.p), ("bits of the map", (len(t.bits) - 1).bit_length())}
    for bits in t.bits:
        what = (levels, "bits", bits) if bits else ("mean",)
        seen |= {what, (levels if bits else "mean", "bytes", t.number)}
    return seen


def ultradelta(table, payload, first, n):
    t = container_ultradelta.Table(table)
    codes = payload
    if t.mask:
        places, codes = container_ultradelta.stored_places(SimpleNamespace(n=n), payload)
        kept = len(places)
    else:
        kept = ((first + n) * t.keep >> 32) - (first * t.keep >> 32)
    table_is = "coded" if t.coded else "not coded"
    codes_are = "plain" if len(codes) == (kept * t.bits + 7) // 8 else 32 if kept >= 2048 else 4
    return {(("seeded", "stored")[t.mask], table_is), ("bits", t.bits), (table_is, "lanes", codes_are)}


def delta_come(table, *_):
    group, *columns = struct.unpack_from("<4H", table)
    seen = {name for name, n in zip(("fine", "middle", "coarse"), columns) if n}
    return seen | {"groups" for n in columns[1:] if n > group} or {"nothing"}


OF_CODEC = {"bitdelta": bitdelta, "delta-dct": delta_dct, "ultradelta": ultradelta, "delta-come": delta_come}


def of_chunk(codec, table, payload, first, n):
    """What a chunk of n values from number first on shows."""
    if codec not in OF_CODEC:
        return set()
    return {(codec, what) for what in OF_CODEC[codec](table, payload, first, n)}


WANTED = {(codec, name) for codec in OF_CODEC for name in ("BF16", "F16", "F32")}
for wanted_codec, wanted in (
        ("bitdelta", [("scale", "scalar"), ("scale", "row"), ("scale", "column")]),
        ("bitdelta", [("rounds", k) for k in (1, 3, 8)]),
        ("delta-dct", [("p", p) for p in (8, 16, 32, 64)]),
        ("delta-dct", [("bits of the map", n) for n in range(4)]),
        ("delta-dct", [(levels, "bits", bits) for levels in ("lloyd", "minmax") for bits in range(1, 9)]),
        ("delta-dct", [(what, "bytes", n) for what in ("lloyd", "minmax", "mean") for n in (1, 2)]),
        ("ultradelta", [(mask, coded) for mask in ("seeded", "stored") for coded in ("coded", "not coded")]),
        ("ultradelta", [("bits", bits) for bits in (2, 3, 4, 8)]),
        ("ultradelta", [("not coded", "lanes", "plain")] + [("coded", "lanes", n) for n in ("plain", 4, 32)]),
        ("delta-come", ["nothing", "fine", "middle", "coarse", "groups"])):
    WANTED.update((wanted_codec, what) for what in wanted)
