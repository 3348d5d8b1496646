#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# differential: the library and the reader in tests/ref agree on containers
# that somebody made up, hashes and all.
# test: timeout=1800
. "$(dirname "$0")/../lib/test.sh"

need python3
verdict=$DFS_BUILD/tests/corpus/verdict
[ -x "$verdict" ] || fail "$verdict is not built"
count=500
[ -z "$DFS_FULL" ] || count=10000
python3 "$DFS_SRC/tests/corpus/differential.py" "$verdict" "$count" || fail "they differ"
