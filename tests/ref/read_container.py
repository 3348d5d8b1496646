#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""read_container: the file that a deltafs container stands for, in plain Python.

    read_container.py [--base FILE]... CONTAINER [-o OUT]

Written from deltafs-format(5) and from nothing else, to show that the page is
enough; names of sections of that page stand at the head of each part. Every
hash is compared and every rule checked. Slow: some microseconds a value.

Needs the standard library, libzstd and libxxhash. Exit status: 0 done, 1 the
container or a base is not right (the sentence says what), 2 usage, 3 the
container needs a later reader.
"""

import argparse
import ctypes
import ctypes.util
import struct
import sys

sys.dont_write_bytecode = True

from container_codecs import Block, decode
from container_errors import Damaged, Unsupported, Wrong, must
from container_values import DTYPES, predict

# HASHES

def load_library(name):
    path = ctypes.util.find_library(name)
    if path is None:
        sys.exit("lib%s is not installed" % name)
    return ctypes.CDLL(path)


class Hash128(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


xxhash = load_library("xxhash")
xxhash.XXH3_64bits_withSeed.restype = ctypes.c_uint64
xxhash.XXH3_64bits_withSeed.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
xxhash.XXH3_128bits.restype = Hash128
xxhash.XXH3_128bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def h64(data, seed):
    data = bytes(data)
    return xxhash.XXH3_64bits_withSeed(data, len(data), seed)


def h128(data):
    data = bytes(data)
    value = xxhash.XXH3_128bits(data, len(data))
    return struct.pack(">QQ", value.high, value.low)


# SUPERBLOCK

MAGIC = bytes.fromhex("89 44 45 4c 54 41 46 53 0d 0a 1a 0a 00 ff c3 28")
LOSSY = 1


def parse_superblock(block):
    must(len(block) == 256, "too short for a superblock")
    (magic, version, reserved1, incompatible, compatible, size, reserved2,
     frozen_hash, container_size, meta_off, meta_len, meta_hash, shown_hash,
     source_hash, reserved3, block_hash) = struct.unpack("<16sIIQQQQQQQQ16s16s16s112sQ", block)
    must(magic == MAGIC, "not a container: wrong magic")
    must(frozen_hash == h64(block[:56], 0), "superblock: bytes 0-63 are damaged")
    must(version > 0 and size <= 1 << 48, "superblock: impossible version or size")
    if version != 1:
        raise Unsupported("format version %d" % version)
    if incompatible & ~LOSSY:
        raise Unsupported("feature bits %#x" % (incompatible & ~LOSSY))
    must(block_hash == h64(block[:248], 0), "superblock is damaged")
    must(reserved1 == 0 and reserved2 == 0 and not any(reserved3), "superblock: reserved bytes")
    must(meta_off >= 256 and container_size == meta_off + meta_len + 256 < 1 << 63,
         "superblock: extents")
    must(incompatible & LOSSY or shown_hash == source_hash, "superblock: exact, but two hashes")
    return dict(size=size, compatible=compatible, container_size=container_size, meta_off=meta_off,
                meta_len=meta_len, meta_hash=meta_hash, shown_hash=shown_hash)


def find_superblock(container):
    try:
        return parse_superblock(container[:256])
    except Wrong:
        return parse_superblock(container[-256:])


# METADATA

SECTIONS = [  # name, record, names of its fields; the last one is reserved unless empty
    ("bases", "16sQ16sIIIIQ", "hash size model name_off name_len origin_off origin_len reserved"),
    ("segments", "QQQIIIIIIIBBBBIIQ", "off len cols first_chunk n_chunks first_piece n_pieces "
     "first_table n_tables chunk_rows kind dtype drop predictor params_off params_len reserved"),
    ("pieces", "QQIB3s", "len base_off base dtype reserved"),
    ("tables", "IIB3s", "off len codec reserved"),
    ("chunks", "QIB3sQQ", "off len codec reserved payload_hash decoded_hash"),
    ("blob", None, None),
    ("strings", None, None),
]


class Record:
    pass


def parse_records(raw, fmt, names, section):
    names = names.split()
    records = []
    for values in struct.iter_unpack("<" + fmt, raw):
        record = Record()
        record.__dict__.update(zip(names, values))
        must(record.reserved in (0, b"\0\0\0"), section + ": reserved bytes")
        records.append(record)
    return records


def parse_metadata(sb, meta):
    if h128(meta) != sb["meta_hash"]:
        raise Damaged("metadata is damaged")
    must(len(meta) >= 128 and len(meta) % 8 == 0, "metadata: length")
    n = struct.unpack_from("<I", meta)[0]
    must(n == 7 or (n > 7 and sb["compatible"]), "metadata: number of sections")
    must(not any(meta[4:16]), "metadata: reserved bytes")
    at = 16 + 16 * n
    found = {}
    for i, (name, fmt, fields) in enumerate(SECTIONS):
        off, count = struct.unpack_from("<QQ", meta, 16 + 16 * i)
        end = off + count * (struct.calcsize("<" + fmt) if fmt else 1)
        at_next = (end + 7) // 8 * 8
        must(off == at and at_next <= len(meta), "metadata: place of " + name)
        must(not any(meta[end:at_next]), "metadata: padding after " + name)
        raw = meta[off:end]
        found[name] = parse_records(raw, fmt, fields, name) if fmt else raw
        at = at_next
    must(n > 7 or at == len(meta), "metadata: bytes left over")
    return found


def string_at(strings, off, length):
    must(off + length < len(strings) and strings[off + length] == 0, "a base's name is no string")
    text = strings[off:off + length]
    must(0 not in text, "a base's name holds a NUL")
    return text.decode("utf-8", "replace")


def check_relations(sb, m):
    """What the page says in "Segments", "Pieces", "Tables" and "Chunks"."""
    off, chunk, piece, payload = 0, 0, 0, 256
    for base in m["bases"]:
        base.name = string_at(m["strings"], base.name_off, base.name_len)
        base.origin = string_at(m["strings"], base.origin_off, base.origin_len)
        must(base.size < 1 << 63, "base: size")
    for table in m["tables"]:
        must(table.off + table.len <= len(m["blob"]), "table: outside blob")
    for s in m["segments"]:
        check_segment(sb, m, s, off, chunk, piece)
        for c, (_, length) in zip(m["chunks"][chunk:chunk + s.n_chunks], s.cuts):
            must(c.off == payload and c.off + c.len <= sb["meta_off"], "chunk: place of payload")
            must(c.len <= length, "chunk: payload longer than what it stands for")
            must(c.len or c.payload_hash == 0, "chunk: hash of an empty payload")
            payload += c.len
        off, chunk, piece = off + s.len, chunk + s.n_chunks, piece + s.n_pieces
    must((off, chunk, piece, payload) == (sb["size"], len(m["chunks"]), len(m["pieces"]),
                                          sb["meta_off"]), "records left over or missing")


def check_segment(sb, m, s, off, chunk, piece):
    must(s.kind <= 3 and s.dtype < len(DTYPES), "segment: kind or dtype")
    s.unit = DTYPES[s.dtype][1]
    must(s.off == off and s.len % s.unit == 0 and off + s.len <= sb["size"], "segment: place")
    must(s.drop == 0 or s.drop < DTYPES[s.dtype][3], "segment: drop")
    must(s.cols == 0 or s.len % (s.cols * s.unit) == 0, "segment: rows are not whole")
    must(s.chunk_rows == 0 or 0 < s.chunk_rows * s.cols * s.unit <= 16 << 20, "segment: chunk_rows")
    must(s.kind != 3 or (s.dtype == 0 and s.predictor == 0), "segment: header")
    must(s.predictor or s.n_pieces == 0, "segment: predictor none")
    must(s.predictor > 1 or s.params_len == 0, "segment: parameters of a predictor that has none")
    must(s.params_off + s.params_len <= len(m["blob"]), "segment: parameters")
    s.cuts = cut(s)
    must(s.first_chunk == chunk and s.n_chunks == len(s.cuts) and
         chunk + s.n_chunks <= len(m["chunks"]), "segment: chunks")
    must(s.first_table + s.n_tables <= len(m["tables"]), "segment: tables")
    must(s.first_piece == piece and piece + s.n_pieces <= len(m["pieces"]), "segment: pieces")
    s.pieces = m["pieces"][piece:piece + s.n_pieces]
    must((not s.pieces and s.predictor != 1) or sum(p.len for p in s.pieces) == s.len,
         "segment: pieces do not tile it")
    for p in s.pieces:
        must(p.len and p.len % s.unit == 0 and p.dtype < len(DTYPES), "piece: length or dtype")
        if p.base == 0xffffffff:
            must(p.base_off == 0, "piece: an offset in no base")
            continue
        must(p.base < len(m["bases"]), "piece: base")
        must(p.base_off + p.len // s.unit * DTYPES[p.dtype][1] <= m["bases"][p.base].size,
             "piece: outside its base")


# CUTTING RULE

def cut(s):
    """[(offset in the shown file, length)] of the chunks of a segment."""
    end = s.off + s.len
    if s.len == 0:
        return []
    if s.chunk_rows:
        cuts = list(range(s.off, end, s.chunk_rows * s.cols * s.unit))
    else:
        first_line = (s.off // 131072 + 1) * 131072
        rounded = (s.off - (s.off - g) // s.unit * s.unit for g in range(first_line, end, 131072))
        cuts = [s.off] + [at for at in rounded if at < end]
    return [(a, b - a) for a, b in zip(cuts, cuts[1:] + [end])]


# READING

def find_table(m, segment, codec):
    for table in m["tables"][segment.first_table:segment.first_table + segment.n_tables]:
        if table.codec == codec:
            return m["blob"][table.off:table.off + table.len]
    return None


def decode_chunk(container, m, segment, chunk, place, bases):
    off, length = place
    payload = container[chunk.off:chunk.off + chunk.len]
    if payload and h64(payload, chunk.off) != chunk.payload_hash:
        raise Damaged("payload is damaged")
    prediction = predict(segment, off - segment.off, length, bases)
    block = Block(segment, (off - segment.off) // segment.unit, length // segment.unit, prediction)
    data = decode(chunk.codec, block, payload, find_table(m, segment, chunk.codec))
    must(len(data) == length, "decodes to another length")
    return data


def read_chunk(container, m, segment, chunk, place, bases):
    data = decode_chunk(container, m, segment, chunk, place, bases)
    if h64(data, place[0]) != chunk.decoded_hash:
        raise Damaged("decoded bytes are not those recorded")
    return data


def match_bases(records, files):
    """The content of each base of the container, found among files by its hash."""
    by_hash = {h128(data): data for data in files}
    bases = []
    for record in records:
        if record.hash not in by_hash:
            raise Wrong("base %s (%d bytes, %s) is not among the files given"
                        % (record.name or "?", record.size, record.hash.hex()))
        must(len(by_hash[record.hash]) == record.size, "base: size")
        bases.append(by_hash[record.hash])
    return bases


def read_chunks(container, files, read=read_chunk):
    """The superblock, and what read makes of each chunk."""
    sb = find_superblock(container)
    must(sb["meta_off"] + sb["meta_len"] <= len(container), "metadata is cut short")
    m = parse_metadata(sb, container[sb["meta_off"]:sb["meta_off"] + sb["meta_len"]])
    check_relations(sb, m)
    bases = match_bases(m["bases"], files)
    parts = []
    for number, segment in enumerate(m["segments"]):
        chunks = m["chunks"][segment.first_chunk:segment.first_chunk + segment.n_chunks]
        for i, chunk in enumerate(chunks):
            try:
                parts.append(read(container, m, segment, chunk, segment.cuts[i], bases))
            except (Wrong, Unsupported) as error:
                raise type(error)("segment %d, chunk %d: %s" % (number, i, error)) from None
    return sb, parts


def read_container(container, files):
    sb, parts = read_chunks(container, files)
    shown = b"".join(parts)
    if h128(shown) != sb["shown_hash"]:
        raise Damaged("the whole file is not the one recorded")
    return shown


def read_file(path):
    with open(path, "rb") as file:
        return file.read()


def main():
    parser = argparse.ArgumentParser(description="Decode a deltafs container.")
    parser.add_argument("--base", action="append", default=[], metavar="FILE",
                        help="a base file; may be given several times")
    parser.add_argument("container")
    parser.add_argument("-o", metavar="OUT", help="write the file there, - for standard output")
    args = parser.parse_args()
    try:
        shown = read_container(read_file(args.container), [read_file(path) for path in args.base])
    except (Wrong, Unsupported, OSError) as error:
        print("%s: %s" % (args.container, error), file=sys.stderr)
        return 3 if isinstance(error, Unsupported) else 1
    if args.o == "-":
        sys.stdout.buffer.write(shown)
    elif args.o:
        with open(args.o, "wb") as file:
            file.write(shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
