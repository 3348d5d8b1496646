#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# reasons: deltafs(7) has each reason of the table in reason.c, with its word and its sentence, and no other
. "$(dirname "$0")/../lib/test.sh"
need mandoc col python3

mandoc -T ascii -O width=500 "$DFS_SRC/man/deltafs.7" | col -bx >page
python3 - "$DFS_SRC/src/write/reason.c" page <<'PY' || fail "see above"
import re, sys
source, page = (open(path).read() for path in sys.argv[1:])
table = dict(re.findall(r'\[DFS_REASON_\w+\] = \{\s*"([^"]+)", "([^"]*)"', source))
del table["none"]
section = re.search(r"^REASONS\n(.*?)^\S", page, re.M | re.S)
# The word, and behind it or in the next line what it says.
entries = re.findall(r"^ {7}([a-z0-9-]+)(?: +|\n +)(.*)$", section[1], re.M) if section else []
shown = dict(entries)
bad = 0
for word in sorted(table.keys() | shown.keys()):
    if word not in table or not shown.get(word, "").startswith(table[word]):
        print(f"{word}: the page says '{shown.get(word)}', the table '{table.get(word)}'")
        bad = 1
if len(table) < 20:
    print(f"only {len(table)} reasons were found in the table")
    bad = 1
sys.exit(bad)
PY
