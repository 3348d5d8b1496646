#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make_llama: a seeded Llama of random bf16 weights, sharded, and a fine-tune of it.

	make_llama.py BASE_DIR TUNED_DIR [GIB]

Weights are N(0, 0.02), the fine-tune adds N(0, 0.02 r) with r = 1e-2, both
rounded to bf16; norms stay 1 in the base. A real configuration, so that
from_pretrained loads either directory.
"""
import os
import sys

import torch
from transformers import LlamaConfig, LlamaForCausalLM

SIGMA, R = 0.02, 1e-2


def config_for(gib):
    hidden, vocabulary = 2048, 32000
    layer = 4 * hidden * hidden + 3 * hidden * 5632
    layers = max(1, round((gib * 2**30 / 2 - 2 * vocabulary * hidden) / layer))
    return LlamaConfig(hidden_size=hidden, intermediate_size=5632, num_attention_heads=16,
                       num_hidden_layers=layers, vocab_size=vocabulary, dtype="bfloat16")


def main():
    base_dir, tuned_dir = sys.argv[1:3]
    gib = float(sys.argv[3]) if len(sys.argv) > 3 else 2.1
    torch.manual_seed(1)
    with torch.device("meta"):
        model = LlamaForCausalLM(config_for(gib))
    model = model.to_empty(device="cpu").to(torch.bfloat16)
    noise = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.ones(p.shape) if "norm" in name else torch.randn(p.shape, generator=noise) * SIGMA)
        model.save_pretrained(base_dir, max_shard_size="700MB")
        for p in model.parameters():
            p.add_(torch.randn(p.shape, generator=noise) * (SIGMA * R))
        model.save_pretrained(tuned_dir, max_shard_size="1GB")
    print(sum(os.path.getsize(os.path.join(tuned_dir, f)) for f in os.listdir(tuned_dir)))


main()
