#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# hub: huggingface_hub scans and verifies a cache of symlinked blobs
# test: userns timeout=300
. "$(dirname "$0")/common.sh"

given_store hub
given_mount
client hub
