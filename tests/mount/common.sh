# SPDX-License-Identifier: GPL-2.0-or-later
# common: what the mount tests share, on top of lib/mount.sh.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"

[ -c /dev/fuse ] || skip "no /dev/fuse"

# A dead mount is a mountpoint too; the daemon says when it is ready.
daemon_settled() { grep -q 'is shown at' "$log" || ! kill -0 "$daemon" 2>/dev/null; }

# status FIELD [MOUNTPOINT]: a number or word of the mount's own account.
status() {
	getfattr --absolute-names --only-values -n user.deltafs.status "${2:-mnt}" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

# same PLAIN SHOWN WHAT: a line of stat(1) format WHAT is equal.
same() {
	[ "$(stat -c "$3" "$1")" = "$(stat -c "$3" "$2")" ] ||
		fail "stat $3 of $2: $(stat -c "$3" "$2"), of $1: $(stat -c "$3" "$1")"
}

# is_root: without a user namespace between.
is_root() { [ "$(id -u)" = 0 ] && [ -z "${DFS_USERNS:-}" ]; }
