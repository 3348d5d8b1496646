#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# reference: deltafs-format(5) is enough to read every good container of the
# corpus and to refuse every bad one; and deltafsctl reads the same.
. "$(dirname "$0")/../lib/test.sh"

corpus=$DFS_SRC/tests/corpus
need python3
python3 "$corpus/reference.py" || fail "the reader in tests/ref disagrees"

n=0
while read -r _ want _ name base more; do
	[ -z "$more" ] || base=base-halves.index.json
	rm -f out
	deltafsctl decode ${base:+--base "$corpus/$base"} "$corpus/$name" -o out >/dev/null ||
		fail "$name: not decoded"
	[ "$(sha256sum <out)" = "$want  -" ] || fail "$name: other bytes than were encoded"
	n=$((n + 1))
done < <(grep -v '^#' "$corpus/FROZEN")
[ "$n" -ge 25 ] || fail "only $n good containers"

# By hand, as the example shows it.
"$DFS_SRC/tests/ref/read_container.py" --base "$corpus/base-main.safetensors" "$corpus/good-rows" -o out ||
	fail "read_container.py"
[ "$(sha256sum <out)" = "$(awk '$4 == "good-rows" { print $2 }' "$corpus/FROZEN")  -" ] ||
	fail "read_container.py: other bytes"
expect_fail 1 'superblock' "$DFS_SRC/tests/ref/read_container.py" "$corpus/bad-superblocks"
expect_fail 3 'version 2' "$DFS_SRC/tests/ref/read_container.py" "$corpus/unsupported-version"
expect_fail 1 'not among the files' "$DFS_SRC/tests/ref/read_container.py" "$corpus/good-rows"
