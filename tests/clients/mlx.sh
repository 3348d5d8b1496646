#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mlx: mlx reads the same arrays
# test: timeout=300
. "$(dirname "$0")/common.sh"

given_store minilm minilm-bf16 sharded hub adapter vae odd.safetensors
given_mount
client mlx
