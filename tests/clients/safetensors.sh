#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# safetensors: 0.8 maps, preads, slices and threads; 0.7 maps
# test: timeout=300
. "$(dirname "$0")/common.sh"

given_store minilm minilm-bf16 sharded hub adapter vae odd.safetensors
given_mount
client safetensors
client07 safetensors
