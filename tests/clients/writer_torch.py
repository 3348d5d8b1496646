# SPDX-License-Identifier: GPL-2.0-or-later
"""transformers, peft, accelerate, torch: what a fine-tuning run and its aftermath save.

TUNE is the directory of a small model here, NEXT that of another fine-tune of it.
"""
import shutil

import torch
from writer import *

import torch.distributed.checkpoint as checkpoint
from accelerate import disk_offload
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

versions("torch", "transformers", "peft", "accelerate")
FILE = "model.safetensors"


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder)


def moved(model, by):
    """A step of training: the same on both sides."""
    with torch.no_grad():
        for value in model.parameters():
            value.mul_(1 + by)
    return model


def same_state(what, one, other):
    if one.keys() != other.keys():
        fail(f"{what}: other names")
    for name, value in one.items():
        if not torch.equal(value, other[name]):
            fail(f"{what}: {name}")


def save_into_loaded():
    """save_pretrained into the directory that the model was loaded from, plain and compressed, whole and in shards."""
    for root in BOTH:
        shutil.copytree(TUNE, root / "loaded")
    for by in (1e-3, 2e-3):
        for root in BOTH:
            moved(load(root / "loaded"), by).save_pretrained(root / "loaded")
        wrote(f"loaded/{FILE}")
        settle(f"loaded/{FILE}")
    for root in BOTH:
        load(root / "loaded").save_pretrained(root / "shards", max_shard_size="1MB")
    shards = sorted(path.name for path in (PLAIN / "shards").glob("*.safetensors"))
    if len(shards) < 2:
        fail(f"{len(shards)} shards")
    for name in shards:
        wrote(f"shards/{name}")


def checkpoints(steps=6, limit=2):
    """As a trainer does it: written under another name, renamed when whole, the oldest removed."""
    models = {root: load(TUNE) for root in BOTH}
    for root, model in models.items():
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
        for step in range(steps):
            moved(model, 1e-4)
            new = root / "run" / f"tmp-checkpoint-{step}"
            model.save_pretrained(new)
            torch.save({"step": step, "optimizer": optimizer.state_dict()}, new / "optimizer.pt")
            new.rename(root / "run" / f"checkpoint-{step}")
            if step >= limit:
                shutil.rmtree(root / "run" / f"checkpoint-{step - limit}")
    left = sorted(path.name for path in (MOUNT / "run").iterdir())
    if left != [f"checkpoint-{step}" for step in range(steps - limit, steps)]:
        fail(f"checkpoints {left}")
    for name in left:
        wrote(f"run/{name}/{FILE}")
        keeps(f"run/{name}/optimizer.pt")


def merged():
    """An adapter saved, loaded over its base, merged and saved."""
    for root in BOTH:
        torch.manual_seed(5)
        lora = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False, lora_alpha=0.02)
        get_peft_model(load(TUNE), lora).save_pretrained(root / "adapter")
        whole = PeftModel.from_pretrained(load(root / "loaded"), root / "adapter").merge_and_unload()
        whole.save_pretrained(root / "merged")
    keeps("adapter/adapter_model.safetensors")
    wrote(f"merged/{FILE}")


def offloaded():
    """Weights on disk, read from there while the model runs."""
    tokens = torch.arange(16).reshape(1, 16)
    said = {}
    for root in BOTH:
        model = load(TUNE).eval()
        disk_offload(model, root / "offload")
        with torch.no_grad():
            said[root] = model(tokens).logits
    if not torch.equal(said[PLAIN], said[MOUNT]):
        fail("a model that is offloaded to the mount answers otherwise")
    names = sorted(path.name for path in (PLAIN / "offload").iterdir())
    if len(names) < 10:
        fail(f"{len(names)} files were offloaded")
    for name in names:
        keeps(f"offload/{name}")


def distributed():
    """A checkpoint of torch.distributed, saved twice to one place, and loaded; its files hold no time or number."""
    for folder in (TUNE, NEXT):
        wanted = load(folder).state_dict()
        checkpoint.save(wanted, checkpoint_id=MOUNT / "distributed", no_dist=True)
        settle()
        found = {name: torch.zeros_like(value) for name, value in wanted.items()}
        checkpoint.load(found, checkpoint_id=MOUNT / "distributed", no_dist=True)
        same_state("torch.distributed.checkpoint", wanted, found)
    shutil.copytree(MOUNT / "distributed", PLAIN / "distributed")
    for path in (PLAIN / "distributed").iterdir():
        keeps(f"distributed/{path.name}")


save_into_loaded()
checkpoints()
merged()
offloaded()
distributed()
