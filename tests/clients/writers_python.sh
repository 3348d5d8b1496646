#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# writers_python: what safetensors 0.8 and 0.7, numpy, shared mappings and filelock write into a mount that compresses at once is what they write elsewhere
# test: timeout=900
. "$(dirname "$0")/writers_common.sh"

writers_need
given_writable
writer "$DFS_PYTHON" mmap
writer "$DFS_PYTHON" safetensors
writer "$DFS_PYTHON07" safetensors
[ -d mnt/safetensors-0.7.0 ] && [ -d mnt/safetensors-0.8.0 ] || fail "not both versions of safetensors: $(ls mnt)"
all_stays
