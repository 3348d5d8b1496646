#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# other_users: promise 10: with allow_other every user may what he may in the store, also after a right was taken away.
# test: timeout=120 root
. "$(dirname "$0")/common.sh"

[ "$(id -u)" = 0 ] || skip "needs several users"
given_pair
mkdir -p store/closed/inner store/mine && echo secret >store/closed/inner/file && echo mine >store/mine/file
cp -a store/tune store/coded
chmod 700 store/closed && chmod 600 store/coded/model.safetensors && chown -R 65534 store/mine && chmod 700 store/mine
start_daemon store mnt -o allow_other
as() { setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"; }
same_for() { # COMMAND...: nobody and eve get the same answer in mount and store
	for user in 65534 65533; do
		as $user "${@//ROOT/store}" >a 2>/dev/null; in_store=$?
		as $user "${@//ROOT/mnt}" >b 2>/dev/null; in_mount=$?
		[ "$in_store" = "$in_mount" ] || fail "user $user: $* gives $in_mount in the mount, $in_store in the store"
	done
}
same_for ls ROOT/closed
same_for cat ROOT/closed/inner/file
same_for stat ROOT/closed/inner/file
same_for head -c 1 ROOT/coded/model.safetensors
same_for ls ROOT/mine
same_for cat ROOT/mine/file
same_for getfattr -n user.x ROOT/coded/model.safetensors
same_for test -r ROOT/coded/model.safetensors
same_for test -w ROOT/tune
same_for test -x ROOT/closed
as 65534 cat mnt/mine/file >/dev/null || fail "the owner cannot read his own file"
# Somebody holds the name and its pages; then the right is taken away behind the mount.
chmod 755 store/closed && chmod 644 store/coded/model.safetensors
sleep 1.2
as 65533 cat mnt/closed/inner/file mnt/coded/model.safetensors >/dev/null || fail "a right that was given does not show"
chmod 700 store/closed && chmod 000 store/coded/model.safetensors
denied() { ! as 65533 cat mnt/closed/inner/file >/dev/null 2>&1 && ! as 65533 head -c 1 mnt/coded/model.safetensors >/dev/null 2>&1; }
retry 5 denied || fail "a right that was taken away goes on"
# What root has read and cached is no reason to let others.
cat mnt/closed/inner/file mnt/coded/model.safetensors >/dev/null
denied || fail "root's reading opened it for others"
stop_daemon mnt
# Without allow_other nobody else sees anything.
start_daemon store mnt
as 65534 ls mnt >/dev/null 2>&1 && fail "others see a mount without allow_other"
chmod 644 store/coded/model.safetensors
alive
stop_daemon mnt
