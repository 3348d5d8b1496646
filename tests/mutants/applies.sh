#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# applies: every mutant of the table still fits the source, compiles, and has a
# test that is to see it.
# test: nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/mutants/table.sh"

# As make would compile a file of src/fuse, which has all the flags that there are.
compile=$(make -s -C "$DFS_BUILD" DFS_WARN= --eval='print-compile: ; @echo $(CC) $(CPPFLAGS) $(AM_CPPFLAGS) $(FUSE_CFLAGS) $(AM_CFLAGS) $(CFLAGS)' print-compile) ||
	fail "no compiler in $DFS_BUILD/Makefile"

# is_seen NAME: it has tests, and they are there.
is_seen() {
	local test rest any=
	while read -r test rest; do
		any=1
		[ -x "$DFS_SRC/tests/$test" ] || [ -f "$DFS_SRC/tests/$test.c" ] || { echo "$1: there is no tests/$test" >&2; return 1; }
	done < <(mutant_get "$1" see)
	[ -n "$any" ] || { echo "$1: no test is to see it" >&2; return 1; }
}

n=0 bad=0
for name in $(mutant_names); do
	file=$(mutant_get "$name" in)
	n=$((n + 1))
	if ! mutant_apply "$name" "$DFS_SRC/$file" mutant.c; then
		bad=$((bad + 1))
	elif ! (cd "$DFS_BUILD" && $compile -I"$(dirname "$DFS_SRC/$file")" -fsyntax-only "$DFS_TMP/mutant.c"); then
		echo "$name does not compile" >&2
		bad=$((bad + 1))
	elif ! is_seen "$name"; then
		bad=$((bad + 1))
	fi
done
[ "$(mutant_names | sort -u | wc -l)" = "$n" ] || fail "two mutants have one name"
[ "$n" -ge 36 ] || fail "only $n mutants"
[ "$bad" = 0 ] || fail "$bad of $n mutants are out of step"
echo "$n mutants fit"
