#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# man: the pages are clean, and each lists the options that its program's --help
# lists: no more, no fewer.
. "$(dirname "$0")/../lib/test.sh"
need mandoc col
failed=0

for page in "$DFS_SRC"/man/*.[1-8]; do
	mandoc -Tlint -W warning "$page" || failed=1
done

# words: the options in the left column of each line that begins with one, as
# "-f", "--base" or "-o cache".
words() {
	sed -nE 's/^ +(-.*)/\1/p' | sed -E 's/  .*//' | sed -E 's/, */\n/g' |
		sed -nE 's/^(-o [a-z_]+).*/\1/p; t; s/^(--?[A-Za-z][A-Za-z0-9-]*).*/\1/p' | sort -u
}

# helps PROGRAM: its --help, and that of each command it names.
helps() {
	"$1" --help || return 1
	"$1" --help | sed -nE 's/^  ([a-z]+( [a-z]+)?)  .*/\1/p' | while IFS= read -r command; do
		# shellcheck disable=SC2086
		"$1" $command --help
	done
}

for pair in deltafs:1 deltafsctl:1 fsck.deltafs:8; do
	program=${pair%:*} page=$DFS_SRC/man/${pair%:*}.${pair#*:}
	[ -x "$DFS_BUILD/mount-tools/$program" ] || { echo "$program is not in this build"; continue; }
	helps "$DFS_BUILD/mount-tools/$program" >help 2>&1 || fail "$program --help: $(cat help)"
	words <help >"$program.help"
	mandoc -T ascii -O width=500 "$page" | col -bx | words >"$program.page"
	[ -s "$program.help" ] || fail "$program --help lists no option"
	diff --label "$program --help" --label "$page" -U0 "$program.help" "$program.page" || failed=1
done

# The tests that show a promise are there.
mapfile -t named < <(grep -oE '[a-z]+/[a-z0-9_]+\.sh' "$DFS_SRC/man/deltafs.7" | sort -u)
[ ${#named[@]} -gt 11 ] || fail "deltafs(7) names ${#named[@]} tests"
for test in "${named[@]}"; do
	[ -x "$DFS_SRC/tests/$test" ] || { echo "deltafs(7) names $test, which is not there"; failed=1; }
done
[ "$failed" = 0 ] || fail "see above"
