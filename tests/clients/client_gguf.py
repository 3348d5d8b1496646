# SPDX-License-Identifier: GPL-2.0-or-later
"""gguf: its reader on a GGUF file, and llama.cpp's way into safetensors: one mapping for each tensor."""
from check import *
import gguf
from gguf.utility import SafetensorsLocal

versions("gguf")
for plain, view in pairs("*.gguf") if (PLAIN / "minilm.gguf").exists() else []:
    expected, found = gguf.GGUFReader(plain), gguf.GGUFReader(view)
    same_value(f"{view}: fields", list(expected.fields), list(found.fields))
    same_value(f"{view}: tensors", [t.name for t in expected.tensors], [t.name for t in found.tensors])
    for a, b in zip(expected.tensors, found.tensors):
        same(f"{view}: {a.name}", np.asarray(a.data), np.asarray(b.data))

# convert_hf_to_gguf.py opens, maps and closes the file anew for every tensor, in name order.
for plain, view in pairs(without=["odd.safetensors"]):
    expected = raw_tensors(plain)
    local = SafetensorsLocal(view)
    same_value(f"{view}: names", sorted(expected), sorted(local.tensors))
    for name in sorted(local.tensors):
        same(f"{view}: {name}", expected[name], np.asarray(local.tensors[name].mmap_bytes()))
done()
