# SPDX-License-Identifier: GPL-2.0-or-later
"""transformers: from_pretrained of one file, of shards, of a hub cache; logits equal bit for bit."""
from check import *
import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

versions("transformers", "torch", "safetensors")
HUB_NAME = "tests/minilm-tuned"
TEXT = ["The same bytes, whoever asks.", "A mount is a promise about files."]


def logits(model, folder):
    tokens = AutoTokenizer.from_pretrained(folder)(TEXT, padding=True, return_tensors="pt")
    with torch.no_grad():
        return model.eval()(**tokens).last_hidden_state


def compare(what, expected, found):
    expected_state, found_state = expected.state_dict(), found.state_dict()
    same_value(f"{what}: parameters", list(expected_state), list(found_state))
    for name, value in expected_state.items():
        same(f"{what}: {name}", value, found_state[name])


def folders(**options):
    for name in ("minilm", "minilm-bf16", "sharded"):
        expected = AutoModel.from_pretrained(PLAIN / name)
        found = AutoModel.from_pretrained(VIEW / name, **options)
        compare(name, expected, found)
        same(f"{name}: logits", logits(expected, PLAIN / name), logits(found, VIEW / name))


def hub_cache():
    expected = AutoModel.from_pretrained(PLAIN / "sharded")
    found = AutoModel.from_pretrained(HUB_NAME, cache_dir=VIEW / "hub")
    compare("hub", expected, found)
    same("hub: logits", logits(expected, PLAIN / "sharded"), logits(found, VIEW / "sharded"))


def big():
    """Too big to hold twice: parameters against the raw bytes of the plain shards."""
    found = AutoModelForCausalLM.from_pretrained(VIEW / "big").state_dict()
    for plain, _ in pairs():
        for name, expected in raw_tensors(plain).items():
            same(f"big: {name}", expected, found[name])


if BIG:
    big()
else:
    folders()
    evict(VIEW)
    folders(disable_mmap=True)
    evict(VIEW)
    hub_cache()
done()
