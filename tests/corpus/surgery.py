# SPDX-License-Identifier: GPL-2.0-or-later
"""surgery: containers taken apart, changed, and put together with hashes that fit.

What an encoder never writes, and what an adversary would.
"""

import struct

from container_errors import Unsupported, Wrong
from read_container import MAGIC, SECTIONS, decode_chunk, h64, h128, read_chunks

RECORDS = {name: ("<" + fmt, fields.split()) for name, fmt, fields in SECTIONS if fmt}


class Container:
    def __init__(self, data):
        (_, self.version, _, self.incompatible, self.compatible, self.size, _, _, _,
         meta_off, meta_len, _, self.shown_hash, self.source_hash, _, _) = struct.unpack(
             "<16sIIQQQQQQQQ16s16s16s112sQ", data[:256])
        meta = data[meta_off:meta_off + meta_len]
        self.payloads = bytearray(data[256:meta_off])
        self.further_sections = []
        self.sections = {}
        for i, (name, _, _) in enumerate(SECTIONS):
            off, count = struct.unpack_from("<QQ", meta, 16 + 16 * i)
            if name in RECORDS:
                fmt, fields = RECORDS[name]
                raw = meta[off:off + count * struct.calcsize(fmt)]
                self.sections[name] = [dict(zip(fields, values))
                                       for values in struct.iter_unpack(fmt, raw)]
            else:
                self.sections[name] = bytearray(meta[off:off + count])

    def __getattr__(self, name):
        try:
            return self.sections[name]
        except KeyError:
            raise AttributeError(name) from None

    def payload(self, chunk):
        """Where in payloads a chunk's lies."""
        return slice(chunk["off"] - 256, chunk["off"] - 256 + chunk["len"])

    def fit_payload_hashes(self):
        for chunk in self.chunks:
            payload = self.payloads[self.payload(chunk)]
            chunk["payload_hash"] = h64(payload, chunk["off"]) if payload else 0

    def fit_decoded_hashes(self, files):
        """As the reader in tests/ref decodes it over bases among these files; if it refuses, nothing changes."""
        try:
            _, parts = read_chunks(self.pack(), files, decode_chunk)
        except (Wrong, Unsupported):
            return
        at = 0
        for chunk, part in zip(self.chunks, parts):
            chunk["decoded_hash"] = h64(part, at)
            at += len(part)
        self.shown_hash = self.source_hash = h128(b"".join(parts))

    def raw_section(self, name):
        if name not in RECORDS:
            return bytes(self.sections[name])
        fmt, fields = RECORDS[name]
        return b"".join(struct.pack(fmt, *(record[field] for field in fields))
                        for record in self.sections[name])

    def metadata(self):
        parts = [(self.raw_section(name), len(self.sections[name])) for name, _, _ in SECTIONS]
        parts += [(raw, len(raw)) for raw in self.further_sections]
        at, places, body = 16 + 16 * len(parts), b"", b""
        for raw, n in parts:
            raw += bytes(-len(raw) % 8)
            places += struct.pack("<QQ", at, n)
            body += raw
            at += len(raw)
        return struct.pack("<IIQ", len(parts), 0, 0) + places + body

    def superblock(self, meta):
        meta_off = 256 + len(self.payloads)
        frozen = struct.pack("<16sIIQQQQ", MAGIC, self.version, 0, self.incompatible,
                             self.compatible, self.size, 0)
        frozen += struct.pack("<Q", h64(frozen, 0))
        block = frozen + struct.pack("<QQQ16s16s16s112s", meta_off + len(meta) + 256, meta_off,
                                     len(meta), h128(meta), self.shown_hash, self.source_hash, b"")
        return block + struct.pack("<Q", h64(block, 0))

    def pack(self, meta=None):
        meta = self.metadata() if meta is None else meta
        block = self.superblock(meta)
        return block + bytes(self.payloads) + meta + block


def flip(data, at, mask=1):
    data = bytearray(data)
    data[at] ^= mask
    return bytes(data)


def stored(shown, segments, bases=()):
    """A container made from nothing: segments are dicts; in each chunks, [(payload, codec, length)],
    and if there are any pieces, which are dicts, and tables, [(codec, bytes)]."""
    empty = Container.__new__(Container)
    empty.version, empty.incompatible, empty.compatible, empty.size = 1, 0, 0, len(shown)
    empty.shown_hash = empty.source_hash = h128(shown)
    empty.payloads, empty.further_sections = bytearray(), []
    empty.sections = dict(bases=list(bases), segments=[], pieces=[], tables=[], chunks=[],
                          blob=bytearray(), strings=bytearray(b"\0\0"))
    at = 0
    for segment in segments:
        record = dict.fromkeys(RECORDS["segments"][1], 0)
        record.update({k: v for k, v in segment.items() if k in record})
        record.update(off=at, first_chunk=len(empty.chunks), n_chunks=len(segment["chunks"]),
                      first_piece=len(empty.pieces), n_pieces=len(segment.get("pieces", ())),
                      first_table=len(empty.tables), n_tables=len(segment.get("tables", ())))
        empty.segments.append(record)
        empty.pieces.extend(dict(piece, reserved=bytes(3)) for piece in segment.get("pieces", ()))
        add_tables(empty, segment.get("tables", ()))
        add_chunks(empty, shown, at, segment["chunks"])
        at += record["len"]
    return empty


def add_tables(container, tables):
    for codec, data in tables:
        container.tables.append(dict(off=len(container.blob), len=len(data), codec=codec, reserved=bytes(3)))
        container.blob += data


def add_chunks(container, shown, at, chunks):
    for payload, codec, length in chunks:
        off = 256 + len(container.payloads)
        container.chunks.append(dict(
            off=off, len=len(payload), codec=codec, reserved=bytes(3),
            payload_hash=h64(payload, off) if payload else 0,
            decoded_hash=h64(shown[at:at + length], at)))
        container.payloads += payload
        at += length
