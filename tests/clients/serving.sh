#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# serving: vLLM's eight ranks with prefetch, ollama's hash and reopen, replayed
# test: timeout=300
. "$(dirname "$0")/common.sh"

given_store minilm minilm-bf16 sharded hub adapter vae odd.safetensors
given_mount
client vllm_replica ollama_replica
