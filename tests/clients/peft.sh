#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# peft: a LoRA adapter on a base, both from the mount
# test: timeout=300
. "$(dirname "$0")/common.sh"

given_store minilm adapter
given_mount
client peft
