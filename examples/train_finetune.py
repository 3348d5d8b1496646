#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""train_finetune: a real fine-tune of a real model, in minutes on a CPU.

    train_finetune.py --base MODEL_DIR --out DIR [--steps 600]

MODEL_DIR is all-MiniLM-L6-v2 as its Python package ships it: BERT, 22.7 million
parameters, F32. The task: the archive section of a Debian package from its
description (`apt-cache dumpavail`; about 57,000 texts to learn from, 58 classes).
All parameters are trained with AdamW at 5e-5, weight decay 0.01, 50 steps of
warm-up and then linearly to 0, the gradient clipped at norm 1, 32 texts of at
most 64 tokens a step.

Writes, each with the names and the order of the base's file:

    DIR/base-f32, DIR/tuned-f32      before and after
    DIR/base-bf16, DIR/tuned-bf16    the same, rounded to bfloat16

Needs torch, transformers and safetensors. The same seed gives the same weights
on the same machine; another CPU or torch may differ in the last bits.
"""
import argparse
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path


def packages():
    """(description, section) of every package apt knows, each text once."""
    said = subprocess.run(["apt-cache", "dumpavail"], check=True, capture_output=True).stdout
    seen = {}
    for record in said.decode("utf-8", "replace").split("\n\n"):
        fields = dict(re.findall(r"^(Section|Description): (.*)$", record, re.M))
        if len(fields) == 2:
            seen.setdefault(fields["Description"], fields["Section"])
    if len(seen) < 1000:
        sys.exit("apt-cache dumpavail lists hardly any packages: run apt-get update first")
    return sorted(seen.items())


def split(rows, rng):
    """A twentieth is held out, to see that something was learnt."""
    rng.shuffle(rows)
    cut = len(rows) // 20
    return rows[cut:], rows[:cut]


def encode(tokenizer, rows, label_of):
    import torch

    batch = tokenizer([text for text, _ in rows], truncation=True, max_length=64, padding=True,
                      return_tensors="pt")
    return batch, torch.tensor([label_of[section] for _, section in rows])


def train(model, tokenizer, rows, label_of, steps, rng):
    import torch

    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.01)
    warm_up = min(50, max(1, steps // 10))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warm_up, max(0.0, (steps - step) / max(1, steps - warm_up))))
    model.train()
    for step in range(steps):
        batch, labels = encode(tokenizer, rng.sample(rows, 32), label_of)
        loss = model(**batch, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step == steps - 1:
            print(f"step {step + 1} of {steps}: loss {loss.item():.3f}", flush=True)


def accuracy(model, tokenizer, rows, label_of):
    import torch

    model.eval()
    right = 0
    with torch.no_grad():
        for at in range(0, len(rows), 64):
            batch, labels = encode(tokenizer, rows[at:at + 64], label_of)
            right += (model(**batch).logits.argmax(-1) == labels).sum().item()
    return right / len(rows)


def write(source, out, values, dtype):
    """A model directory like `source` with `values` in the place of its tensors."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(source, out, ignore=shutil.ignore_patterns("*.safetensors", ".git*"))
    tensors = {}
    with safe_open(source / "model.safetensors", "pt") as file:
        metadata = file.metadata()
        for name in file.keys():
            tensor = values.get(name, file.get_tensor(name)).detach()
            tensors[name] = tensor.to(dtype) if tensor.is_floating_point() else tensor
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()},
              out / "model.safetensors", metadata)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--base", type=Path, required=True, help="directory with the base's model.safetensors")
    parser.add_argument("--out", type=Path, required=True, help="where the four models go")
    parser.add_argument("--steps", type=int, default=600, help="steps of training (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the data's order and of dropout (%(default)s)")
    args = parser.parse_args()

    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(args.seed)
    torch.use_deterministic_algorithms(True)
    rng = random.Random(args.seed)
    rows = packages()
    label_of = {name: i for i, name in enumerate(sorted({section for _, section in rows}))}
    learn, held = split(rows, rng)
    print(f"{len(learn)} texts, {len(label_of)} classes", flush=True)

    tokenizer = AutoTokenizer.from_pretrained(args.base)
    model = AutoModelForSequenceClassification.from_pretrained(
        args.base, num_labels=len(label_of), dtype=torch.float32)
    train(model, tokenizer, learn, label_of, args.steps, rng)
    print(f"right on {accuracy(model, tokenizer, held[:1024], label_of):.1%} of texts held out")

    encoder = model.base_model.state_dict()
    for side, values in (("base", {}), ("tuned", encoder)):
        write(args.base, args.out / f"{side}-f32", values, torch.float32)
        write(args.base, args.out / f"{side}-bf16", values, torch.bfloat16)


if __name__ == "__main__":
    main()
