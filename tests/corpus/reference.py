#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""reference: the reader written from deltafs-format(5) agrees with FROZEN and README.md.

It must reproduce every good container, refuse every bad one, and say of every
unsupported one that it is. Together the good ones must show everything there is.
"""

import hashlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "ref"))
sys.dont_write_bytecode = True

import container_codecs  # noqa: E402
import read_container as reader  # noqa: E402
import variants  # noqa: E402
from container_errors import Damaged, Unsupported, Wrong  # noqa: E402
from container_values import DTYPES  # noqa: E402

ERRNO = {Wrong: "EUCLEAN", Damaged: "EBADMSG", Unsupported: "ENOTSUP"}


def read(name):
    return reader.read_file(os.path.join(HERE, name))


def lines(name):
    with open(os.path.join(HERE, name)) as file:
        return [line.rstrip("\n") for line in file]


class Seen(set):
    """Everything of the format that some good container uses."""

    def note(self, container):
        sb = reader.find_superblock(container)
        meta = container[sb["meta_off"]:sb["meta_off"] + sb["meta_len"]]
        m = reader.parse_metadata(sb, meta)
        reader.check_relations(sb, m)
        for segment in m["segments"]:
            self.note_segment(container, m, segment)

    def note_segment(self, container, m, s):
        dtype = DTYPES[s.dtype][0]
        self.update([("kind", s.kind), ("dtype", dtype), ("predictor", s.predictor)])
        self.update(name for name, is_so in (
            ("drop", s.drop), ("rows", s.cols), ("chunk_rows", s.chunk_rows),
            ("odd place", s.off % s.unit), ("empty", not s.len), ("chunks", s.n_chunks > 1),
            ("value across the grid", any(off % 131072 for off, _ in s.cuts[1:])),
        ) if is_so)
        for p in s.pieces:
            self.add("no base" if p.base == 0xffffffff else "base %d" % p.base)
            self.add(("cast", DTYPES[p.dtype][0], dtype))
        for chunk, (off, length) in zip(m["chunks"][s.first_chunk:], s.cuts):
            codec = container_codecs.CODEC_NAMES[chunk.codec]
            self.update([codec, (codec, dtype)])
            self |= variants.of_chunk(codec, reader.find_table(m, s, chunk.codec),
                                      container[chunk.off:chunk.off + chunk.len],
                                      (off - s.off) // s.unit, length // s.unit)
            if codec in ("diff", "solo"):
                self.add((codec, s.unit, "lanes", 32 if length // s.unit >= 2048 else 4))
            if codec == "diff":
                table = container_codecs.DiffTable(reader.find_table(m, s, 3), s)
                self.add(("classes", table.n_classes > 1))

    def missing(self):
        want = set("copy stored zstd diff sparse solo drop rows chunk_rows empty chunks".split())
        want |= variants.WANTED
        want.update(["odd place", "value across the grid", "no base", "base 0", "base 1"])
        want.update([("classes", True), ("classes", False), ("predictor", 0), ("predictor", 1)])
        want.update(("kind", kind) for kind in range(4))
        want.update(("dtype", name) for name, _, _, _ in DTYPES)
        want.update(("diff", name) for name, _, _, _ in DTYPES if name not in ("bytes", "BOOL"))
        want.update(("solo", name) for name in ("F16", "BF16", "F32", "C64", "F64"))
        want.update(("diff", unit, "lanes", n) for unit in (1, 2, 4, 8) for n in (4, 32))
        want.update(("solo", unit, "lanes", 32) for unit in (1, 2, 4, 8))
        want.update(("cast", a, b) for a, b in (("F32", "F64"), ("F64", "F32"), ("BF16", "F32"),
                                                ("F16", "BF16"), ("F8_E4M3", "BF16"),
                                                ("F32", "F8_E4M3"), ("F8_E5M2", "F8_E4M3")))
        return want - self


def check_good(failures):
    seen = Seen()
    n = 0
    for line in lines("FROZEN"):
        if line.startswith("#"):
            continue
        _, sha256, _, name, *bases = line.split()
        container = read(name)
        shown = reader.read_container(container, [read(base) for base in bases])
        if hashlib.sha256(shown).hexdigest() != sha256:
            failures.append(name + ": not the file that was encoded")
        seen.note(container)
        n += 1
    failures += ["no good container shows %s" % (what,) for what in sorted(map(str, seen.missing()))]
    return n


def check_refused(failures):
    bases = [read(name) for name in os.listdir(HERE) if name.endswith(".safetensors")]
    n = 0
    for line in lines("README.md"):
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) < 4 or not cells[2].startswith("E"):
            continue
        try:
            reader.read_container(read(cells[1]), bases)
            failures.append(cells[1] + ": was read")
        except tuple(ERRNO) as error:
            if ERRNO[type(error)] != cells[2]:
                failures.append("%s: %s (%s), not %s" % (cells[1], ERRNO[type(error)], error,
                                                         cells[2]))
        n += 1
    return n


def main():
    failures = []
    good, refused = check_good(failures), check_refused(failures)
    for failure in failures:
        print(failure, file=sys.stderr)
    print("%d read, %d refused" % (good, refused))
    return 1 if failures or good < 25 or refused < 40 else 0


if __name__ == "__main__":
    sys.exit(main())
