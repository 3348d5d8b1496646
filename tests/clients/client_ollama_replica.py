# SPDX-License-Identifier: GPL-2.0-or-later
"""`ollama create`, replayed: sniff and hash every file on several threads, then one open for each tensor.

The conversion reopens the file for every tensor in sorted order, seeks to it
and reads it through a buffer of 32 KiB.
"""
import hashlib
from concurrent.futures import ThreadPoolExecutor

from check import *

print("client: replica of ollama create")
BUFFER = 32 << 10


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        file.read(512)
        file.seek(0)
        while block := file.read(BUFFER):
            digest.update(block)
    return digest.hexdigest().encode()


def tensor_bytes(path, begin, end):
    parts = []
    with open(path, "rb", buffering=0) as file:
        file.seek(begin)
        while begin < end:
            part = file.read(min(BUFFER, end - begin))
            if not part:
                fail(f"{path}: ends {end - begin} bytes early")
            parts.append(part)
            begin += len(part)
    return b"".join(parts)


everything = [pair for pair in pairs("*") if pair[0].is_file() and pair[0].stat().st_size > 0]
with ThreadPoolExecutor(4) as pool:
    sums = zip(pool.map(sha256_of, [plain for plain, _ in everything]),
               pool.map(sha256_of, [view for _, view in everything]))
    for (_, view), (expected, found) in zip(everything, sums):
        same(f"{view}: sha256", expected, found)

evict(VIEW)
for plain, view in pairs():
    start, header = raw_header(view)
    expected = raw_tensors(plain)
    for name in sorted(expected):
        begin, end = header[name]["data_offsets"]
        same(f"{view}: {name}", expected[name], tensor_bytes(view, start + begin, start + end))
done()
