#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""hostile: a few dozen files that look like safetensors and attack whoever believes them."""
import json
import os
import struct
import sys

out = sys.argv[1]


def put(name, data):
    with open(os.path.join(out, name), "wb") as f:
        f.write(data)


def model(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def big_models():
    put("many-tensors", model({f"t{i}": tensor("U8", [1], i, i + 1) for i in range(300000)}, bytes(300000)))
    put("many-empty", model({f"t{i}": tensor("F32", [0], 0, 0) for i in range(300000)}))
    put("padding", model(b"{}" + b" " * (90 << 20)))
    put("deep", model(b'{"a":' + b"[" * 200000 + b"]" * 200000 + b"}"))
    put("deep-open", model(b"[" * 1000000))
    put("long-name", model({"n" * (1 << 20): tensor("U8", [4], 0, 4)}, bytes(4)))
    put("many-values", model(b'{"a":[' + b"1," * 3000000 + b"1]}"))
    put("long-string", model(b'{"__metadata__":{"x":"' + b"y" * (40 << 20) + b'"}}'))


def lengths():
    for i, length in enumerate((0, 1, 7, 8, 100, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 8, (1 << 64) - 1)):
        put(f"length-{i}", model({"a": tensor("U8", [4], 0, 4)}, bytes(4), length))
    put("empty", b"")
    for n in (1, 7, 8, 9):
        put(f"bytes-{n}", bytes(n))


def shapes():
    put("wrap", model({"a": tensor("F32", [1 << 32, 1 << 32], 0, 0)}))
    put("wrap-2", model({"a": tensor("F32", [(1 << 62) + 1, 4], 0, 16)}, bytes(16)))
    put("negative", model({"a": tensor("F32", [-1], 0, 4)}, bytes(4)))
    put("fraction", model({"a": tensor("F32", [1.5], 0, 6)}, bytes(6)))
    put("huge-number", model(b'{"a":{"dtype":"U8","shape":[1e400],"data_offsets":[0,1]}}', b"x"))
    put("beyond-u64", model(b'{"a":{"dtype":"U8","shape":[99999999999999999999999],"data_offsets":[0,1]}}', b"x"))
    put("overlap", model({"a": tensor("U8", [8], 0, 8), "b": tensor("U8", [8], 4, 12)}, bytes(12)))
    put("hole", model({"a": tensor("U8", [4], 0, 4), "b": tensor("U8", [4], 8, 12)}, bytes(12)))
    put("backwards", model({"a": tensor("U8", [4], 4, 0)}, bytes(4)))
    put("trailing", model({"a": tensor("U8", [4], 0, 4)}, bytes(400)))
    put("missing", model({"a": tensor("U8", [4000], 0, 4000)}, bytes(40)))
    put("rank", model({"a": tensor("U8", [1] * 5000, 0, 1)}, b"x"))


def texts():
    put("duplicate", model(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
                           b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"))
    put("not-utf8", model(b'{"\xff\xfe":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"))
    put("surrogate", model(b'{"\\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"))
    put("nul-name", model(b'{"a\\u0000b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"x"))
    put("nul-padding", model(b"{}" + bytes(64)))
    put("path-name", model({"../../etc/passwd": tensor("U8", [4], 0, 4), "%n%n%s": tensor("U8", [4], 4, 8)}, bytes(8)))
    put("unknown-dtype", model({"a": tensor("Q9", [1], 0, 1)}, b"x"))
    put("odd-bits", model({"a": tensor("F4", [3], 0, 2)}, bytes(2)))
    put("metadata-number", model({"__metadata__": {"x": 5}, "a": tensor("U8", [1], 0, 1)}, b"x"))
    put("array", model(b"[1,2,3]"))
    put("null", model(b"null"))
    put("polyglot", model(b'{"a":{"dtype":"U8","shape":[22],"data_offsets":[0,22]}}', b"PK\x05\x06" + bytes(18)))


big_models()
lengths()
shapes()
texts()
