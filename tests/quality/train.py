# SPDX-License-Identifier: GPL-2.0-or-later
"""train: fine-tunes of the base, made on the spot.

    full  every parameter: AdamW at 5e-5, weight decay 0.01, warm-up of 50 steps, then linearly to 0, gradient clipped
          at norm 1, 32 texts of like length a step; written as F32 and rounded to BF16
    layers  the same but for embeddings, which stay the base's
    lora  rank 16 on every linear layer of the encoder at 5e-4 and the head, all else the base's; merged, BF16

A model directory has the names that transformers gives them and the small files that the base has, so that it loads
alone. Training waits while the file that DFS_PAUSE_FILE names exists.
"""
import os
import random
import shutil
import time

from tasks import batch_of

RATES = {"full": 5e-5, "layers": 5e-5, "lora": 5e-4}
BATCH = 32
BUCKET = 8  # batches that are drawn together and cut by length, so that little of a batch is padding


def pause():
    """For machines that measure something else now and then."""
    name = os.environ.get("DFS_PAUSE_FILE")
    while name and os.path.exists(name):
        time.sleep(2)


def batches(rows, size, rng):
    while True:
        drawn = sorted(rng.sample(rows, size * BUCKET), key=lambda row: len(row[0]))
        cut = [drawn[at:at + size] for at in range(0, len(drawn), size)]
        rng.shuffle(cut)
        yield from cut


def new_model(base, task, kind):
    import torch
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(task.classes), dtype=torch.float32)
    model.config.id2label = dict(enumerate(task.classes))
    model.config.label2id = {label: i for i, label in enumerate(task.classes)}
    if kind == "layers":
        model.base_model.embeddings.requires_grad_(False)
    elif kind == "lora":
        from peft import LoraConfig, get_peft_model

        model = get_peft_model(model, LoraConfig(
            r=16, lora_alpha=32, lora_dropout=0.05, modules_to_save=["classifier"], task_type="SEQ_CLS",
            target_modules=r".*encoder\.layer\..*\.(query|key|value|dense)"))
    return model


def train(model, task, steps, rate, size, pad, seed):
    import torch

    chosen = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(chosen, lr=rate, weight_decay=0.01)
    warm_up = min(50, max(1, steps // 10))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warm_up, max(0.0, (steps - step) / max(1, steps - warm_up))))
    drawn = batches(task.learn, size, random.Random(seed))
    model.train()
    for _ in range(steps):
        pause()
        batch, labels = batch_of(next(drawn), pad)
        loss = model(**batch, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(chosen, 1.0)
        optimizer.step()
        schedule.step()
    return loss.item()


def write(model, base, out, dtype):
    """Complete or not there at all: what is there is used again."""
    new = out.with_name(f".new-{out.name}")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(base, new, ignore=shutil.ignore_patterns("*.safetensors", ".git*", "1_*", "README*"))
    model.to(dtype).save_pretrained(new)
    (new / "model.safetensors").chmod(0o644)
    new.rename(out)


def fine_tune(base, task, kind, seed, steps, outs, pad, quick=False):
    """@outs: a directory for each dtype, by its name. @quick: half the texts a step, four times the rate"""
    import torch

    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    began = time.monotonic()
    model = new_model(base, task, kind)
    rate, size = (4 * RATES[kind], BATCH // 2) if quick else (RATES[kind], BATCH)
    loss = train(model, task, steps, rate, size, pad, seed)
    if kind == "lora":
        model = model.merge_and_unload()
    # the widest first: a model is rounded in place
    for name, dtype in (("f32", torch.float32), ("bf16", torch.bfloat16)):
        if name in outs:
            write(model, base, outs[name], dtype)
    print(f"trained {task.name} {kind} {seed}: {steps} steps in {time.monotonic() - began:.0f} s, loss {loss:.3f}",
          flush=True)
