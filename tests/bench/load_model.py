#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""load_model: time transformers' from_pretrained alone, every parameter summed inside the timing.

Prints one JSON object; `sum` lets two directories be compared.
"""
import json
import sys
import time

import torch
from transformers import AutoModel


def main():
    start = time.monotonic()
    model = AutoModel.from_pretrained(sys.argv[1], dtype=torch.bfloat16, local_files_only=True)
    total = 0
    for parameter in model.state_dict().values():
        total += int(parameter.view(torch.int16).sum(dtype=torch.int64))
    seconds = time.monotonic() - start
    count = sum(p.numel() for p in model.parameters())
    print(json.dumps({"seconds": seconds, "sum": f"{total:x}", "bytes": 2 * count,
                      "gb_per_s": 2 * count / seconds / 1e9}))


main()
