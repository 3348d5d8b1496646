# SPDX-License-Identifier: GPL-2.0-or-later
"""bad: containers that must be refused, and how; and those that need a later build.

Each row is a name, the errno, what is wrong (for the README), the good
container it is made from, and what is done to it: to its bytes, or to its
parts, after which the hashes are made to fit.
"""

import struct

from surgery import Container, flip, h64


# --- damage: bytes change, hashes do not

def both_superblocks(data):
    return flip(flip(data, 100), len(data) - 156)


def size_of_the_shown_file(data):
    return flip(flip(data, 40), len(data) - 256 + 40)


def metadata_bit(data):
    return flip(data, struct.unpack_from("<Q", data, 72)[0] + 130)


def payload_bit(data):
    return flip(data, struct.unpack_from("<Q", data, 72)[0] - 99, 16)


def cut_short(data):
    return data[:-300]


def only_the_head(data):
    return data[:256]


DAMAGED = [
    ("superblocks", "EUCLEAN", "both superblocks have a flipped bit", "few", both_superblocks),
    ("size", "EUCLEAN", "both say another size of the shown file", "few", size_of_the_shown_file),
    ("metadata-bit", "EBADMSG", "a flipped bit in the metadata", "few", metadata_bit),
    ("payload-bit", "EBADMSG", "a flipped bit in a payload", "one", payload_bit),
    ("short", "EUCLEAN", "the last 300 bytes are missing", "one", cut_short),
    ("head-only", "EUCLEAN", "nothing but a superblock", "one", only_the_head),
]


# --- inventions: hashes fit what is not right

def payload_replaced(c):
    chunk = next(chunk for chunk in c.chunks if chunk["codec"] == 3)
    c.payloads[c.payload(chunk).stop - 2] ^= 1
    c.fit_payload_hashes()


def decoded_hash(c):
    c.chunks[1]["decoded_hash"] ^= 1


def chunks_exchanged(c):
    """Two payloads with their hashes trade places: only the seed of the hashes tells."""
    a, b = (chunk for chunk in c.chunks if chunk["codec"] == 1 and chunk["len"] == 60)
    first, second = c.payload(a), c.payload(b)
    c.payloads[first], c.payloads[second] = c.payloads[second], c.payloads[first]
    for field in ("payload_hash", "decoded_hash"):
        a[field], b[field] = b[field], a[field]


def segment_gap(c):
    c.segments[1]["off"] += 1


def segment_overlap(c):
    c.segments[1]["off"] -= 1


def size_larger(c):
    c.size += 1


def size_huge(c):
    c.size = 1 << 60


def chunk_missing(c):
    c.chunks.pop()


def chunk_count(c):
    c.segments[0]["n_chunks"] = 0xffffffff


def payload_overlap(c):
    c.chunks[1]["off"] -= 1


def payload_too_long(c):
    c.chunks[0]["len"] = 0xffffffff


def piece_outside(c):
    c.pieces[-1]["base_off"] = c.bases[0]["size"] - 1


def piece_of_no_base(c):
    c.pieces[0]["base"] = len(c.bases)


def pieces_short(c):
    c.pieces[-1]["len"] -= 8


def integer_from_float(c):
    piece = next(piece for piece in c.pieces if piece["dtype"] == 16)
    piece["dtype"] = 18


def kind_unknown(c):
    c.segments[0]["kind"] = 4


def dtype_unknown(c):
    c.segments[-1]["dtype"] = 23


def drop_too_large(c):
    segment = next(s for s in c.segments if s["dtype"] == 18)
    segment["drop"] = 23


def codec_unknown(c):
    c.chunks[-1]["codec"] = 99


def predictor_unknown(c):
    segment = next(s for s in c.segments if s["predictor"])
    segment["predictor"] = 77


def table_missing(c):
    for segment in c.segments:
        segment["n_tables"] = 0


def table_nonsense(c):
    c.blob[:] = b"\xff" * len(c.blob)


def table_outside(c):
    c.tables[0]["len"] = 0xffffffff


def diff_without_prediction(c):
    c.chunks[0]["codec"] = 3


def copy_without_prediction(c):
    first = c.chunks[0]
    del c.payloads[c.payload(first)]
    for chunk in c.chunks[1:]:
        chunk["off"] -= first["len"]
    first.update(len=0, codec=0)
    c.fit_payload_hashes()


def reserved_segment(c):
    c.segments[0]["reserved"] = 1


def reserved_chunk(c):
    c.chunks[0]["reserved"] = b"\0\0\1"


def name_outside(c):
    c.bases[0]["name_len"] = 0xffffffff


def two_hashes(c):
    c.source_hash = bytes(16)


def replace_first_payload(c, raw):
    first = c.chunks[0]
    c.payloads[c.payload(first)] = raw
    shift = len(raw) - first["len"]
    first["len"] = len(raw)
    for chunk in c.chunks[1:]:
        chunk["off"] += shift
    c.fit_payload_hashes()


def zstd_of_another_length(c):
    """The frame of the text's second chunk where that of the first should be."""
    replace_first_payload(c, bytes(c.payloads[c.payload(c.chunks[1])]))


def zstd_of_a_large_window(c):
    """A frame whose window is of 256 MiB, and whose one block repeats an a over the whole chunk."""
    block = (1 | 1 << 1 | 131072 << 3).to_bytes(3, "little")
    replace_first_payload(c, bytes.fromhex("28b52ffd") + bytes([0, (28 - 10) << 3]) + block + b"a")


def sparse_past_the_end(c):
    """The gap before its one change is said to be in units of 32 values."""
    c.payloads[c.payload(c.chunks[0]).start] |= 5
    c.fit_payload_hashes()


def parameters_of_base(c):
    """In a segment without bytes, which no predictor is ever asked about."""
    c.segments[0].update(predictor=1, params_len=1)
    c.blob += b"\0"


def without_rows(c):
    c.segments[0].update(cols=0, chunk_rows=0)


def as_integers(c):
    """Of the same size, and so are those of the base."""
    unsigned = {14: 13, 15: 13, 18: 17}[c.segments[0]["dtype"]]
    for record in c.segments + c.pieces:
        record["dtype"] = unsigned


def with_zero_bits(c):
    c.segments[0]["drop"] = 1


LOSSY = {"bitdelta": "bitdelta-tiny", "delta-dct": "delta-dct-zeros", "ultradelta": "ultradelta-tiny",
         "delta-come": "delta-come-nothing"}
NOT_FOR_LOSSY = [
    ("cols", "in a segment without rows", without_rows),
    ("integers", "of integers", as_integers),
    ("drop", "of values whose lowest bit is zero", with_zero_bits),
]

INVENTED = [
    ("payload-replaced", "EUCLEAN", "diff: another last word, hash and all", "one",
     payload_replaced),
    ("decoded-hash", "EBADMSG", "decodes to something else than recorded", "one", decoded_hash),
    ("exchanged", "EBADMSG", "two payloads and their hashes trade places", "chunk-rows",
     chunks_exchanged),
    ("segment-gap", "EUCLEAN", "a byte belongs to no segment", "few", segment_gap),
    ("segment-overlap", "EUCLEAN", "a byte belongs to two segments", "few", segment_overlap),
    ("size-larger", "EUCLEAN", "the segments end before the file", "few", size_larger),
    ("size-huge", "EUCLEAN", "the shown file is over the limit", "few", size_huge),
    ("chunk-missing", "EUCLEAN", "a chunk less than the cutting rule gives", "one",
     chunk_missing),
    ("chunk-count", "EUCLEAN", "a segment of four billion chunks", "one", chunk_count),
    ("payload-overlap", "EUCLEAN", "two payloads share a byte", "one", payload_overlap),
    ("payload-long", "EUCLEAN", "a payload of four billion bytes", "one", payload_too_long),
    ("piece-outside", "EUCLEAN", "base bytes beyond the base's end", "one", piece_outside),
    ("piece-base", "EUCLEAN", "a base that is not listed", "one", piece_of_no_base),
    ("pieces-short", "EUCLEAN", "pieces that end before their segment", "one", pieces_short),
    ("piece-dtype", "EUCLEAN", "integers predicted from floats", "few", integer_from_float),
    ("kind", "EUCLEAN", "an unknown kind of segment", "few", kind_unknown),
    ("dtype", "EUCLEAN", "an unknown dtype", "few", dtype_unknown),
    ("drop", "EUCLEAN", "as many zero bits as the mantissa has", "few", drop_too_large),
    ("codec", "EUCLEAN", "a codec number that means nothing", "few", codec_unknown),
    ("predictor", "EUCLEAN", "a predictor number that means nothing", "few", predictor_unknown),
    ("table-missing", "EUCLEAN", "diff and solo without their tables", "one", table_missing),
    ("table-nonsense", "EUCLEAN", "tables of nothing but ones", "one", table_nonsense),
    ("table-outside", "EUCLEAN", "a table beyond the blob's end", "one", table_outside),
    ("diff-alone", "EUCLEAN", "diff in a segment without prediction", "chunk-rows",
     diff_without_prediction),
    ("copy-alone", "EUCLEAN", "copy in a segment without prediction", "noise",
     copy_without_prediction),
    ("reserved-segment", "EUCLEAN", "a reserved field of a segment is not zero", "few",
     reserved_segment),
    ("reserved-chunk", "EUCLEAN", "a reserved byte of a chunk is not zero", "few",
     reserved_chunk),
    ("name", "EUCLEAN", "a name that leaves its section", "few", name_outside),
    ("two-hashes", "EUCLEAN", "exact, but made from another file than it shows", "few",
     two_hashes),
    ("zstd-length", "EUCLEAN", "a frame of another length than its chunk", "text",
     zstd_of_another_length),
    ("zstd-window", "EUCLEAN", "a frame whose window is over the limit", "text",
     zstd_of_a_large_window),
    ("sparse-end", "EUCLEAN", "a change behind the last value", "no-base", sparse_past_the_end),
    ("parameters", "EUCLEAN", "parameters of a predictor that has none", "empty-segments", parameters_of_base),
]
INVENTED += [("%s-%s" % (codec, name), "EUCLEAN", "%s %s" % (codec, what), source, change)
             for codec, source in LOSSY.items() for name, what, change in NOT_FOR_LOSSY]


# --- valid, but from the future

def version_2(c):
    c.version = 2


def feature_9(c):
    c.incompatible = 1 << 9


def predictor_3(c):
    segment = next(s for s in c.segments if s["predictor"])
    segment["predictor"] = 3


def version_2_otherwise(data):
    """A later version that keeps bytes 0-63, and nothing else of what we know."""
    head = data[:16] + struct.pack("<II", 2, 7) + data[24:56]
    head += struct.pack("<Q", h64(head, 0))
    return head + b"nothing of version 1 is left" + bytes(500)


UNSUPPORTED = [
    ("version", "ENOTSUP", "version 2", "few", version_2),
    ("feature", "ENOTSUP", "an unknown incompatible feature", "few", feature_9),
    ("predictor", "ENOTSUP", "a predictor of a later build", "few", predictor_3),
]
UNSUPPORTED_BYTES = [
    ("shape", "ENOTSUP", "version 2, in which all but the first 64 bytes differ", "few",
     version_2_otherwise),
]


def invent(change):
    def changed(data):
        container = Container(data)
        change(container)
        return container.pack()
    return changed


# (file, errno, what, from, bytes -> bytes)
BAD = [("bad-" + name, code, what, source, change)
       for name, code, what, source, change in DAMAGED]
BAD += [("bad-" + name, code, what, source, invent(change))
        for name, code, what, source, change in INVENTED]
BAD += [("unsupported-" + name, code, what, source, invent(change))
        for name, code, what, source, change in UNSUPPORTED]
BAD += [("unsupported-" + name, code, what, source, change)
        for name, code, what, source, change in UNSUPPORTED_BYTES]
