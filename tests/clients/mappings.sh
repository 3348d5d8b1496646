#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mappings: torch, numpy and bare mmap, private and shared
# test: userns timeout=300
. "$(dirname "$0")/common.sh"

given_store minilm minilm-bf16 sharded hub adapter vae odd.safetensors
given_mount
client torch numpy mmap
