#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_cross: arm64 and a big-endian CPU decode and predict what this one wrote, and write the same bytes
# test: timeout=1800 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/codec/common.sh"

build_codecs "${CC:-cc}" ./native cross samples || exit 1
./native write native.bin || exit 1
./native read native.bin || exit 1

reads_and_writes() { "$@" read native.bin && "$@" write foreign.bin && cmp native.bin foreign.bin; }
on_foreign reads_and_writes cross samples
