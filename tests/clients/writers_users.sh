#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# writers_users: eight writers and eight readers at once, each another user, in a mount that compresses at once: nobody sees a byte that its owner did not write, nor what is not his to see
# test: timeout=900 root
. "$(dirname "$0")/writers_common.sh"

is_root || skip "needs several users"
given_writable allow_other
chmod 755 . mnt store orig orig/* && mkdir plain && chmod 755 plain
writer "$(command -v python3)" users
all_small "users"
before=$(grep -c 'compressed to' "$log")
echo "client: compressed $before times"
# owners WHEN: who may what has not changed with the form.
owners() {
	local dir uid
	for dir in mnt/u*; do
		uid=${dir#mnt/u}
		[ -z "$(find "$dir" "store/u$uid" -not -uid "$uid")" ] || fail "$1: not his: $(find "$dir" "store/u$uid" -not -uid "$uid")"
		setpriv --reuid="$uid" --regid="$uid" --clear-groups cmp "$dir/private" "plain/u$uid/private" || fail "$1: $uid cannot read what is his"
		! setpriv --reuid=20200 --regid=20200 --clear-groups cat "$dir/private" >/dev/null 2>&1 || fail "$1: $dir/private is open"
	done
}
owners "compressed"
stop_daemon mnt
mount_writable
owners "after a remount"
all_stays
