# SPDX-License-Identifier: GPL-2.0-or-later
"""check: what every client script here shares.

A script is called `client_x.py PLAIN VIEW`: two folders of the same files, one
as they were written, one as deltafs shows them. It loads from VIEW with the
client of its name and compares with what PLAIN holds, bit for bit. Expected
tensors come from raw_tensors(), which parses PLAIN by itself, so that a
client's own mistake cannot hide ours.

The first difference ends the script with status 1 and a sentence; so does a
script that compared nothing.
"""
import json
import os
import sys
from importlib import metadata
from pathlib import Path

import numpy as np

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("TQDM_DISABLE", "1")

PLAIN, VIEW = Path(sys.argv[1]), Path(sys.argv[2])
BYTES_COMPARED = 0
# 2 GiB of it: one pass of each kind is enough, and must go through a small cache.
BIG = (PLAIN / "big").is_dir()


def fail(sentence):
    sys.exit(f"DIFFERS: {sentence}")


def versions(*names):
    print("client:", ", ".join(f"{name} {metadata.version(name)}" for name in names), flush=True)


def as_bytes(value):
    """The bits of a tensor, an array or bytes, as a flat array of bytes."""
    if hasattr(value, "untyped_storage"):
        import torch
        value = value.detach().contiguous().reshape(-1)
        return value.view(torch.uint8).numpy() if value.numel() else np.empty(0, np.uint8)
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value).reshape(-1).view(np.uint8)
    return np.frombuffer(value, np.uint8)


def same(what, expected, found):
    """@expected and @found have the same bits; raises SystemExit if not."""
    global BYTES_COMPARED
    expected, found = as_bytes(expected), as_bytes(found)
    if expected.size != found.size:
        fail(f"{what}: {found.size} bytes, not {expected.size}")
    if not np.array_equal(expected, found):
        first = int(np.argmax(expected != found))
        fail(f"{what}: byte {first} of {expected.size} is {found[first]:#04x}, not {expected[first]:#04x}")
    BYTES_COMPARED += expected.size


def same_value(what, expected, found):
    """The same for small values that are not bytes: lists, numbers, names."""
    if expected != found:
        fail(f"{what}: {found!r}, not {expected!r}")


def raw_header(path):
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        return 8 + length, json.loads(file.read(length))


def raw_tensors(path):
    """{name: its bytes in the file}, mapped, in file order."""
    start, header = raw_header(path)
    data = np.memmap(path, np.uint8, "r")
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = data[start + begin:start + end]
    return tensors


def pairs(pattern="*.safetensors", without=()):
    """(path in PLAIN, path in VIEW) of every file that matches; there must be some."""
    found = [(path, VIEW / path.relative_to(PLAIN)) for path in sorted(PLAIN.rglob(pattern))
             if path.name not in without]
    if not found:
        fail(f"no {pattern} below {PLAIN}")
    return found


def evict(root):
    """Drop the pages of every file below @root, so that reading it asks the file system again."""
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            fd = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(fd)


def done():
    """The last line of every script."""
    if BYTES_COMPARED == 0:
        fail("nothing was compared")
    print(f"compared: {BYTES_COMPARED} bytes", flush=True)


evict(VIEW)
