#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# others: what a mount shows to other users is what the store would let them see
# test: root
. "$(dirname "$0")/common.sh"
[ -z "${DFS_USERNS:-}" ] || skip "one user alone in this namespace"
need setfacl
user=65534 friend=12345
as() { setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"; }

make_store --params 100000 --seed 11
echo secret >store/secret && chmod 600 store/secret
mkdir -m 700 store/closed && echo in >store/closed/in
echo shared >store/shared && chmod 640 store/shared && setfacl -m "u:$friend:r" store/shared || skip "no ACLs here"
# The group class of an ACL is its mask: here it would let the group read, and the ACL does not.
echo masked >store/masked && chown "0:$user" store/masked && chmod 640 store/masked
setfacl -m "g::-,u:$friend:r" store/masked
chmod 755 . store

start_daemon store mnt
expect_fail any 'Permission denied' as $user ls mnt
stop_daemon mnt

start_daemon store mnt -o allow_other
as $user cmp orig/tune/model.safetensors mnt/tune/model.safetensors || fail "allow_other"
expect_fail any 'Permission denied' as $user cat mnt/secret
expect_fail any 'Permission denied' as $user cat mnt/closed/in
expect_fail any 'Permission denied' as $user cat mnt/shared
[ "$(as $friend cat mnt/shared)" = shared ] || fail "an ACL that allows"
expect_fail any 'Permission denied' as $user cat mnt/masked
[ "$(as $friend cat mnt/masked)" = masked ] || fail "an ACL that allows one"
# What one may read stays closed to the other.
cat mnt/secret >/dev/null && ls mnt/closed >/dev/null
expect_fail any 'Permission denied' as $user cat mnt/secret
expect_fail any 'Permission denied' as $user cat mnt/closed/in
chmod 644 store/secret
readable() { as $user cat mnt/secret >/dev/null 2>&1; }
retry 10 readable || fail "a chmod in the store does not show"
stop_daemon mnt

# A container by hand over a base that its owner may not read gives none of it away.
chmod 700 store/base && cp store/tune/model.safetensors theirs
chown $user theirs && mkdir store/inbox && mv theirs store/inbox/model.safetensors
start_daemon store mnt -o allow_other
expect_fail any 'Permission denied' as $user cat mnt/inbox/model.safetensors
grep -q 'inbox/model.safetensors' "$log" || fail "that is not logged"
cmp orig/tune/model.safetensors mnt/tune/model.safetensors || fail "what deltafs published suffers"
stop_daemon mnt
