#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sentence_transformers: sentence-transformers gives the same embeddings
# test: timeout=300
. "$(dirname "$0")/common.sh"

given_store minilm sharded
given_mount
client sentence_transformers
