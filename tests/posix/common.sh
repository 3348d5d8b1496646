# SPDX-License-Identifier: GPL-2.0-or-later
# common: what the scripts here share.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/test.sh"

[ "$(id -u)" = 0 ] || skip "needs the rights of several users"

# posix_suite DIR [CALL...]: runs it there; sets status, keeps what it said in ./said.
posix_suite() {
	status=0
	"$DFS_BUILD/tests/posix/posix" "$@" >said 2>&1 || status=$?
}

# posix_holds DIR CASE...: all of it passes there. The cases are patterns of those
# that this file system cannot be asked. posix_known: names of cases that may fail
# there; why is told beside them. posix_calls: those that are run; all.
posix_holds() {
	local dir=$1 name
	shift
	# shellcheck disable=SC2086
	posix_suite "$dir" ${posix_calls:-}
	[ "$status" -le 1 ] && grep -q ' passed, ' said || fail "on $dir: $(cat said)"
	for name in $(grep -v 'not supported here' said | sed '/ passed, /d; s/: .*//'); do
		# shellcheck disable=SC2086
		posix_allowed "$name" ${posix_known:-} || fail "on $dir: $(grep -v ': not supported here' said)"
	done
	sed -n 's/: not supported here.*//p' said >unasked
	while IFS= read -r name; do
		posix_allowed "$name" "$@" || fail "on $dir: $(grep "^$name: " said)"
	done <unasked
	echo "$dir: $(tail -1 said), $(wc -l <unasked) not supported"
}

# posix_allowed NAME PATTERN...
posix_allowed() {
	local name=$1 pattern
	shift
	for pattern; do
		# shellcheck disable=SC2053
		[[ $name != $pattern ]] || return 0
	done
	return 1
}
