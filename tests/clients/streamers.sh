#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# streamers: runai-model-streamer and fastsafetensors read the same tensors
# test: timeout=300
. "$(dirname "$0")/common.sh"

given_store minilm minilm-bf16 sharded hub adapter vae odd.safetensors
given_mount
client runai fastsafetensors
