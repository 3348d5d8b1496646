#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""seeds: what the fuzz targets start from, cut out of the frozen corpus.

    tests/fuzz/seeds.py [CASES]     fills tests/fuzz/corpus/fuzz_*/

Good containers become the superblock and metadata that fuzz_container reads,
their chunks inputs of fuzz_decode_* (those of bitdelta and delta-come are made up:
chunks of whole tensors are too long; other lossy codecs have theirs from CASES, what
tests/codec/lossy_cases wrote), the models of the corpus inputs of fuzz_header;
lines of every kind are fuzz_pending's, records fuzz_policy's. Names are hashes,
as libFuzzer's are, so that its finds can be merged with `fuzz_x -merge=1`.
"""
import glob
import hashlib
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "ref"))
sys.dont_write_bytecode = True

import read_container as reader  # noqa: E402

CODECS = {0: "copy", 1: "stored", 2: "zstd", 3: "diff", 4: "sparse", 5: "solo", 17: "delta_dct"}
SEED_MAX = 6000
PER_SHAPE = 2


def put(target, data):
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, hashlib.sha1(data).hexdigest()), "wb") as f:
        f.write(data)


def header_seed(path):
    with open(path, "rb") as f:
        start = f.read(8)
        text = f.read(struct.unpack("<Q", start)[0])
    if len(text) < SEED_MAX:
        put("fuzz_header", struct.pack("<Q", os.path.getsize(path) - 8 - len(text)) + start + text)


def chunk_seed(dtype, drop, cols, values, table, payload):
    return struct.pack("<BBBHBH", dtype, drop, cols & 0xff, values & 0xffff, 0, len(table)) + table + payload


def container_seeds(path, taken):
    with open(path, "rb") as f:
        container = f.read()
    sb = reader.find_superblock(container)
    meta = container[sb["meta_off"]:sb["meta_off"] + sb["meta_len"]]
    if len(meta) < SEED_MAX:
        put("fuzz_container", container[:256] + meta)
    m = reader.parse_metadata(sb, meta)
    reader.check_relations(sb, m)
    for segment in m["segments"]:
        chunks = m["chunks"][segment.first_chunk:segment.first_chunk + segment.n_chunks]
        for chunk, (_, length) in zip(chunks, segment.cuts):
            table = reader.find_table(m, segment, chunk.codec) or b""
            payload = container[chunk.off:chunk.off + chunk.len]
            shape = (chunk.codec, segment.dtype, segment.drop)
            if chunk.codec in CODECS and len(table) + len(payload) < SEED_MAX and taken.get(shape, 0) < PER_SHAPE:
                taken[shape] = taken.get(shape, 0) + 1
                put("fuzz_decode_" + CODECS[chunk.codec],
                    chunk_seed(segment.dtype, segment.drop, segment.cols, length // segment.unit, table, payload))


def lossy_seeds(path):
    def part(f):
        return f.read(struct.unpack("<I", f.read(4))[0])

    with open(path, "rb") as f:
        while head := f.read(32):
            codec, dtype, rows, cols, chunk = struct.unpack("<IIQQQ", head)
            table, _, _ = part(f), part(f), part(f)
            payloads = [part(f) for _ in range(-(-rows * cols // chunk))]
            if len(payloads) == 1 and cols < 256 and rows * cols < SEED_MAX and len(payloads[0]) < SEED_MAX:
                put("fuzz_decode_" + CODECS[codec], chunk_seed(dtype, 0, cols, rows * cols, table, payloads[0]))


def bitdelta_seeds():
    """Chunks of 200 values in rows of 37, of all kinds of scales."""
    cols, n = 37, 200
    for dtype in (14, 15, 18):
        for what, units in enumerate((1, (n + cols) // cols, cols)):
            for k in (1, 3):
                table = struct.pack("<BBbB", what, k, -20, 0)
                table += struct.pack("<%dH" % (k * units), *range(0x3c00, 0x3c00 + k * units))
                put("fuzz_decode_bitdelta", struct.pack("<BBBHBH", dtype, 0, cols, n, 0, len(table)) + table +
                    bytes(range(1, 1 + k * n // 8)))


def come_seeds():
    """Rows of 5 values, of all classes of columns, with and without bits behind the last code."""
    cols, rows, group = 5, 20, 3
    for dtype in (14, 15, 18):
        for fine, middle, coarse in ((1, 4, 6), (2, 0, 0), (0, 3, 1), (0, 0, 5), (0, 0, 0)):
            rank, bits = fine + middle + coarse, 8 * fine + 3 * middle + 2 * coarse
            scales = bytes([60] * (-(-middle // group) + -(-coarse // group)))
            codes = [((0x5a3c96f1e7 * (i + 1)) & ((1 << bits) - 1)).to_bytes(-(-bits // 8), "little")
                     for i in range(rows + cols)]
            table = struct.pack("<HHHH%df" % rank, group, fine, middle, coarse, *[0.01 / (k + 1) for k in range(rank)])
            table += b"".join(scales + code for code in codes[rows:])
            put("fuzz_decode_delta_come", struct.pack("<BBBHBH", dtype, 0, cols, rows * cols, 0, len(table)) + table +
                b"".join(scales + code for code in codes[:rows]))


# What stands behind the check of a line of .deltafs/pending, by pending.h.
PENDING = (b"deltafs-pending\t1", b"deltafs-pending\t2", b"add\tmodel.safetensors",
           b"add\td/a\\t\\n\\\\b", b"done\td/a", b"drop\td", b"move\ta/b\tc", b"exchange\ta\tb/c",
           b"add\t../a", b"add\t/a", b"move\ta", b"add\t.deltafs/x", b"add\t" + b"long/" * 3000 + b"x")


def pending_seeds():
    for line in PENDING:
        put("fuzz_pending", line + b"\n")
    put("fuzz_pending", b"\n".join(PENDING[2:8]))


# A path and a record, by store/policy.h.
POLICIES = (b"a/model.safetensors\nquiet=60\ningest=off\n", b"a/b/x.bin\nexclude=*.bin\nexclude=a/[!c]/x?bin\nbase=auto\n",
            b"d\nexisting=on\ncodec=exact\nlater=1\n\nquiet=\nquiet=9", b"x\nbase=0123456789abcdef\nexclude=\\[x\nexclude=[",
            b"a" * 200 + b"\nexclude=" + b"*a" * 100 + b"b")


def policy_seeds():
    for record in POLICIES:
        put("fuzz_policy", record)


def main():
    taken = {}
    pending_seeds()
    policy_seeds()
    bitdelta_seeds()
    come_seeds()
    corpus = os.path.join(HERE, "..", "corpus")
    for path in sorted(glob.glob(os.path.join(corpus, "base-*.safetensors"))):
        header_seed(path)
    for path in sorted(glob.glob(os.path.join(corpus, "good-*"))):
        container_seeds(path, taken)
    if len(sys.argv) > 1:
        lossy_seeds(sys.argv[1])


main()
