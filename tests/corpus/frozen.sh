#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# frozen: what was merged once stays as it was and stays listed; every file of
# the corpus has its line; making the corpus anew changes nothing.
. "$(dirname "$0")/../lib/test.sh"

corpus=$DFS_SRC/tests/corpus
need python3

grep -v '^#' "$corpus/FROZEN" | while read -r want _ _ name _; do
	[ "$(sha256sum <"$corpus/$name")" = "$want  -" ] || fail "$name is not what was frozen"
done || exit 1

for file in "$corpus"/good-* "$corpus"/bad-* "$corpus"/unsupported-*; do
	name=$(basename "$file")
	grep -q "^| $name | " "$corpus/README.md" || fail "$name has no line in README.md"
done
for file in "$corpus"/good-*; do
	grep -q " $(basename "$file")\( \|\$\)" "$corpus/FROZEN" || fail "$(basename "$file") is not in FROZEN"
done

# Lines of the list as merged, or as committed where there is nothing to merge into.
if git -C "$DFS_SRC" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
	merged=$(git -C "$DFS_SRC" merge-base HEAD origin/main 2>/dev/null) || merged=HEAD
	git -C "$DFS_SRC" show "$merged:tests/corpus/FROZEN" 2>/dev/null | grep -v '^#' >merged
	while IFS= read -r line; do
		grep -qxF -- "$line" "$corpus/FROZEN" || fail "FROZEN has lost: $line"
	done <merged
fi

cp -r "$corpus" copy && chmod -R u+w copy || fail "cp"
rm -f copy/bad-* copy/unsupported-* copy/README.md
mkdir -p ref && cp "$DFS_SRC"/tests/ref/*.py ref/
python3 copy/make.py || fail "make.py"
diff -r "$corpus" copy -x __pycache__ || fail "make.py makes something else"
