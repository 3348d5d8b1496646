# SPDX-License-Identifier: GPL-2.0-or-later
# copy: a source and a build tree that may be spoilt, in the test's own directory.
#
#	copy_make		both, as DFS_SRC and DFS_BUILD are
#	copy_put FROM FILE	FROM becomes FILE of the source, and is built
#	copy_run COMMAND	a test, as called from tests/: sets status, and what it
#				says is in ./said

# The paths of one in the other stay right if both lie where they lay, below another root.
copy_make() {
	local dir other without=(--exclude=./.git --exclude=./autom4te.cache)
	copy_src=$DFS_TMP/root$DFS_SRC copy_build=$DFS_TMP/root$DFS_BUILD
	make -s -C "$DFS_BUILD" all || fail "the source does not build as it is"
	for other in "$DFS_SRC"/*/config.status; do
		[ ! -e "$other" ] || without+=(--exclude="./$(basename "$(dirname "$other")")")
	done
	for dir in "$DFS_SRC" "$DFS_BUILD"; do
		mkdir -p "$DFS_TMP/root$dir"
		tar -C "$dir" "${without[@]}" -cf - . | tar -C "$DFS_TMP/root$dir" -xf - || fail "copy $dir"
	done
	grep -q '^srcdir = \.\.' "$copy_build/Makefile" || fail "configured by an absolute path: $DFS_BUILD"
	copy_make_all || fail "the copy does not build"
}

# No warning is wanted of what is wrong on purpose. The Makefile itself is as new as it need be.
copy_make_all() {
	make -s -j"$(nproc)" -C "$copy_build" DFS_WARN=-w AUTOCONF=: AUTOMAKE=: ACLOCAL=: AUTOHEADER=: "${@:-all}" >make.log 2>&1 ||
		{ cat make.log >&2; return 1; }
}

# A unit test is built when it is run; with "quietly" nothing is: the next fault's build sees to it.
copy_put() {
	cat "$1" >"$copy_src/$2"
	[ "${3:-}" = quietly ] || copy_make_all
}

copy_run() {
	local words limit
	read -ra words <<<"$1"
	status=0
	case ${words[0]} in
	*.sh)
		limit=$(sed -n 's/^# test:.*timeout=\([0-9]*\).*/\1/p' "$DFS_SRC/tests/${words[0]}")
		env -u DFS_TMP DFS_BUILD="$copy_build" timeout -k 10 "${limit:-300}" \
			"$DFS_SRC/tests/${words[0]}" "${words[@]:1}" >said 2>&1 || status=$?
		;;
	*)
		copy_make_all "tests/${words[0]}" || fail "tests/${words[0]} does not build"
		timeout -k 10 300 "$copy_build/tests/${words[0]}" "${words[@]:1}" >said 2>&1 || status=$?
		;;
	esac
}
