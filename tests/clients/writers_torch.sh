#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# writers_torch: what transformers, peft, accelerate and torch save into a mount that compresses at once is what they save elsewhere
# test: timeout=900
. "$(dirname "$0")/writers_common.sh"

writers_need
mkdir store mnt
# A causal model of a few layers, and two fine-tunes, by transformers itself.
"$DFS_PYTHON" - >made 2>&1 <<'PY' || fail "no models: $(tail -n 5 made)"
import torch
from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(1)
model = LlamaForCausalLM(LlamaConfig(hidden_size=128, intermediate_size=344, num_hidden_layers=4, num_attention_heads=4,
                                     num_key_value_heads=4, vocab_size=1024, dtype="float32"))
model.save_pretrained("small/base")
for name in ("tune", "next"):
    with torch.no_grad():
        for value in model.parameters():
            value.add_(torch.randn_like(value) * 1e-5)
    model.save_pretrained(f"small/{name}")
PY
cp -r small/base store/small
deltafsctl base add store store/small >said 2>&1 || fail "base add: $(cat said)"
mount_writable
writer "$DFS_PYTHON" torch small/tune small/next
all_stays
