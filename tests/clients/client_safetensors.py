# SPDX-License-Identifier: GPL-2.0-or-later
"""safetensors: every backend it has, slices by rows and by columns, 16 threads on one file."""
from concurrent.futures import ThreadPoolExecutor

from check import *
import safetensors
import torch
from safetensors import safe_open
from safetensors.torch import load_file

versions("safetensors", "torch")
same_value("the module that runs", metadata.version("safetensors"), safetensors.__version__)
# backend= appeared with 0.8; before there was only the mapping.
BACKENDS = [{}] if safetensors.__version__ < "0.8" else [{"backend": "mmap"}, {"backend": "pread"}]


def whole_files():
    for plain, view in pairs():
        expected = raw_tensors(plain)
        for backend in BACKENDS:
            evict(view.parent)
            found = load_file(view, **backend)
            same_value(f"{view}: names", sorted(expected), sorted(found))
            for name, tensor in found.items():
                same(f"{view}: {name} {backend}", expected[name], tensor)


def slices(plain, view, **backend):
    """Rows and columns of every matrix; what is expected is cut from the raw bytes by numpy."""
    expected = raw_tensors(plain)
    _, header = raw_header(plain)
    with safe_open(view, framework="pt", **backend) as file:
        for name in file.keys():
            shape = header[name]["shape"]
            if len(shape) != 2 or 0 in shape:
                continue
            rows, cols = shape
            raw = expected[name].reshape(rows, -1)
            width = raw.shape[1] // cols
            part = file.get_slice(name)
            same_value(f"{view}: {name}: shape", shape, list(part.get_shape()))
            top, bottom = rows // 3, rows // 3 + max(1, rows // 5)
            same(f"{view}: {name} rows {backend}", raw[top:bottom], part[top:bottom])
            left, right = cols // 4, cols // 4 + max(1, cols // 7)
            same(f"{view}: {name} columns {backend}", raw[:, left * width:right * width], part[:, left:right])


def threads(plain, view, **backend):
    """All tensors at once through one handle, each thread starting elsewhere."""
    expected = raw_tensors(plain)
    names = list(expected)
    with safe_open(view, framework="pt", **backend) as file:
        def load(first):
            for i in range(0, len(names), 16):
                name = names[(first + i) % len(names)]
                same(f"{view}: {name} thread {first}", expected[name], file.get_tensor(name))
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(load, range(16)))


whole_files()
for plain, view in pairs(without=["odd.safetensors"]):
    for backend in BACKENDS:
        evict(view.parent)
        slices(plain, view, **backend)
        evict(view.parent)
        threads(plain, view, **backend)
done()
