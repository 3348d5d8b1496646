#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""zipnn_file: pack a bf16 file with ZipNN, and unpack it; with a base, its delta mode."""
import sys

from zipnn import ZipNN


def coder(base):
    if base:
        return ZipNN(bytearray_dtype="bfloat16", input_format="byte", delta_compressed_type="byte")
    return ZipNN(bytearray_dtype="bfloat16", input_format="byte")


def main():
    verb, source, target, *base = sys.argv[1:]
    with open(source, "rb") as f:
        data = bytearray(f.read())
    extra = {}
    if base:
        with open(base[0], "rb") as f:
            extra["delta_second_data"] = bytearray(f.read())
    packed = coder(base).compress(data, **extra) if verb == "pack" else coder(base).decompress(data, **extra)
    with open(target, "wb") as f:
        f.write(packed)


main()
