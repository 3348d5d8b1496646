#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# diffusers: diffusers and accelerate load a sharded autoencoder
# test: timeout=300
. "$(dirname "$0")/common.sh"

given_store vae
given_mount
client diffusers
