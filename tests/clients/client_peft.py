# SPDX-License-Identifier: GPL-2.0-or-later
"""peft: a LoRA adapter from the mount over a base from the mount, used and merged."""
from check import *
import torch
from peft import PeftModel
from transformers import AutoModel

versions("peft", "transformers", "torch")


def outputs(root):
    """@root: tuned/; the base that the adapter belongs to lies beside it."""
    base = AutoModel.from_pretrained(root.parent / "base" / "minilm")
    model = PeftModel.from_pretrained(base, root / "adapter").eval()
    tokens = torch.arange(2000, 2016).reshape(1, 16)
    with torch.no_grad():
        adapted = model(input_ids=tokens).last_hidden_state
        merged = model.merge_and_unload()(input_ids=tokens).last_hidden_state
    return adapted, merged


for what, expected, found in zip(("adapted", "merged"), outputs(PLAIN), outputs(VIEW)):
    same(what, expected, found)
done()
