#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""differential: two readers that share no code agree on containers that nobody wrote.

    differential.py VERDICT COUNT [SEED]

Good containers are changed at random, hashes are made to fit, and the reader
in tests/ref and the library (VERDICT, built from verdict.c) must come to the
same conclusion: the same bytes, or malformed, damaged, unsupported alike. What
one takes and the other refuses is a hole in deltafs-format(5) or in a reader.

Mostly the hashes of decoded bytes are made to fit what the reader decodes: if
the library finds something damaged then, they decode to different values.
"""

import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "ref")]
sys.dont_write_bytecode = True

import read_container as reader  # noqa: E402
from container_errors import Damaged, Unsupported, Wrong  # noqa: E402
from surgery import Container  # noqa: E402

ERRNO = {Wrong: -117, Damaged: -74, Unsupported: -95}
BASES = ["base-main.safetensors", "base-every.safetensors", "base-halves.index.json"]
SOURCES = ["one", "few", "no-base", "chunk-rows", "empty-segments", "feature", "narrowed", "parked",
           "bitdelta-tiny", "ultradelta-tiny", "delta-come-tiny", "delta-come-nothing", "ultradelta-plain",
           "delta-dct-zeros"]
SLOW = ["bitdelta", "bitdelta-columns", "bitdelta-scalar", "delta-dct", "delta-dct-minmax", "delta-dct-large",
        "delta-dct-64", "delta-dct-bits", "delta-dct-bounds", "ultradelta", "ultradelta-stored", "ultradelta-codebook",
        "ultradelta-stored-plain", "delta-come", "delta-come-wide", "delta-come-half"]  # in Python: few, and only of many
BYTES = ("kind", "dtype", "drop", "predictor", "codec")


def read(name):
    return reader.read_file(os.path.join(HERE, name))


def change_field(rng, container):
    names = [name for name in ("segments", "pieces", "chunks", "tables", "bases")
             if container.sections[name]]
    record = rng.choice(container.sections[rng.choice(names)])
    field = rng.choice([field for field in record if isinstance(record[field], int)])
    old = record[field]
    new = rng.choice([0, 1, old + 1, old - 1, old * 2, old ^ 1 << rng.randrange(8),
                      rng.randrange(30)])
    record[field] = new & (0xff if field in BYTES else 0xffffffff)


def flip_bits(rng, data, most=2):
    for _ in range(rng.randint(1, most) if data else 0):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def changed(rng, data, bases):
    """A container with one thing changed, whose hashes of metadata and payloads fit, and mostly the others."""
    container = Container(data)
    kind = rng.choice(["payload", "blob", "field", "metadata"])
    if kind == "metadata":
        meta = bytearray(container.metadata())
        flip_bits(rng, meta, 1)  # of two faults, which is found first is nobody's business
        return container.pack(bytes(meta))
    if kind == "payload":
        flip_bits(rng, container.payloads)
    elif kind == "blob":
        flip_bits(rng, container.blob)
    else:
        change_field(rng, container)
    if kind == "payload" or rng.random() < 0.7:
        container.fit_payload_hashes()
    if rng.random() < 0.8:
        container.fit_decoded_hashes(bases)
    return container.pack()


def with_each_bound(bases):
    """delta-dct-zeros with each byte as the low bound of its first patch, and as the high one of one with all codes."""
    for place, codes in ((1, 0), (2, 0b11100100)):
        for byte in range(256):
            container = Container(read("good-delta-dct-zeros"))
            container.payloads[place], container.payloads[6] = byte, codes
            container.fit_payload_hashes()
            container.fit_decoded_hashes(bases)
            yield container.pack()


def invented(count, seed, bases):
    yield from with_each_bound(bases)
    rng = random.Random(seed)
    sources, slow = ([read("good-" + name) for name in names] for names in (SOURCES, SLOW))
    for _ in range(count):
        yield changed(rng, rng.choice(slow if count > 1000 and rng.random() < 0.01 else sources), bases)


def judge(data, bases):
    """(what verdict.c has to say, why); None if the base is not the one asked for."""
    try:
        return "0 " + reader.h128(reader.read_container(data, bases)).hex(), ""
    except tuple(ERRNO) as error:
        why = str(error)
        if "not among the files" in why or why == "base: size":
            return None, why
        return str(ERRNO[type(error)]), why


def main():
    count, seed = int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1
    bases = [read(name) for name in os.listdir(HERE) if name.endswith(".safetensors")]
    verdict = subprocess.Popen([sys.argv[1]] + [os.path.join(HERE, base) for base in BASES],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    taken = 0
    for number, data in enumerate(invented(count, seed, bases), 1):
        with open("changed", "wb") as file:
            file.write(data)
        verdict.stdin.write("changed\n")
        verdict.stdin.flush()
        said = verdict.stdout.readline().rstrip("\n")
        want, why = judge(data, bases)
        taken += bool(want) and want[0] == "0"
        if not said or (want and said != want and said.split()[0] != want):
            sys.exit("seed %d, number %d (kept as ./changed): library: %s; reference: %s %s"
                     % (seed, number, said or "died", want, why))
    verdict.stdin.close()
    if verdict.wait() != 0:
        sys.exit("verdict failed")
    print("%d containers, %d of them read, both agree" % (number, taken))


if __name__ == "__main__":
    main()
