# SPDX-License-Identifier: GPL-2.0-or-later
"""safetensors: save_file to a new name, over a container, and over the file that is mapped."""
import torch
from writer import *

import safetensors
from safetensors import safe_open
from safetensors.torch import load_file, save_file

versions("torch")
print(f"client: safetensors {safetensors.__version__}")
FOLDER = "safetensors-" + safetensors.__version__
tune, following = ({name: value.clone() for name, value in load_file(path).items()} for path in (TUNE, NEXT))
named = {name: f"{FOLDER}/{name}.safetensors" for name in ("new", "over", "mapped", "own")}


def save(tensors, name):
    for root in BOTH:
        save_file(tensors, root / named[name], metadata={"format": "pt"})


for root in BOTH:
    (root / FOLDER).mkdir()
for name in named:
    save(tune, name)
settle(*named.values())
save(following, "over")
# 0.7 writes into the file that is there, which what has it mapped sees as on any file system; 0.8 renames.
with safe_open(MOUNT / named["mapped"], "pt") as mapped:
    first = min(mapped.keys())
    held = mapped.get_tensor(first)
    save(following, "mapped")
    if safetensors.__version__ >= "0.8" and not torch.equal(held.view(torch.uint8), tune[first].view(torch.uint8)):
        fail("the tensors of the mapping changed")
    del held
# What was loaded, changed and saved to where it came from.
for root in BOTH:
    loaded = load_file(root / named["own"])
    changed = {key: value + 1e-3 if value.is_floating_point() else value.clone() for key, value in loaded.items()}
    del loaded
    save_file(changed, root / named["own"], metadata={"format": "pt"})
for name in named.values():
    wrote(name)
