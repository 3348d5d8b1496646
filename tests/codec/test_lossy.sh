#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_lossy: what lossy codecs decode, the reader in tests/ref decodes bit for bit, and so do arm64 and a big-endian CPU
# test: timeout=600 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/codec/common.sh"

need python3
cases=$DFS_BUILD/tests/codec/lossy_cases
"$cases" write cases.bin || fail "not written"
"$cases" read cases.bin || fail "not read"
"$DFS_SRC/tests/codec/lossy_reader.py" cases.bin || fail "the reader in tests/ref disagrees"

reads() { "$@" read cases.bin; }
on_foreign reads lossy_cases driven
