#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# transformers: from_pretrained of one file, of shards and of a hub cache gives the same logits
# test: userns timeout=300
. "$(dirname "$0")/common.sh"

given_store minilm minilm-bf16 sharded hub
given_mount
client transformers
