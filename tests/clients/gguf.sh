#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# gguf: gguf's reader on a GGUF file, llama.cpp's way into safetensors
# test: timeout=300
. "$(dirname "$0")/common.sh"

given_store minilm minilm-bf16 sharded hub adapter vae odd.safetensors minilm.gguf
given_mount
client gguf
