#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# xattrs: files tell their state when asked, list only what is theirs, and keep their ACLs
. "$(dirname "$0")/common.sh"
need getfattr setfacl

make_store --params 300000 --seed 8
cp orig/tune/model.safetensors store/plain.safetensors
setfattr -n user.colour -v blue store/tune/model.safetensors 2>/dev/null || skip "no extended attributes here"
setfattr -n user.deltafs.policy -v x store/plain.safetensors
setfattr -n user.word -v d store/tune
setfacl -m u:12345:r store/plain.safetensors || skip "no ACLs here"
setfacl -d -m g:12345:rx store/tune
head -c 3000 store/tune/model.safetensors >store/cut.safetensors
start_daemon store mnt
shown=mnt/tune/model.safetensors coded=store/tune/model.safetensors

[ "$(told state $shown)" = container ] || fail "state: $(told state $shown)"
told codec $shown | grep -qw diff || fail "codec: $(told codec $shown)"
[ "$(told exact $shown)" = 1 ] || fail "exact"
[ "$(told base $shown)" = base/model.safetensors ] || fail "base: $(told base $shown)"
[ "$(told stored_bytes $shown)" = "$(stat -c %s $coded)" ] || fail "stored_bytes"
python3 -c 'import sys; ratio, shown, stored = map(float, sys.argv[1:]); sys.exit(abs(ratio - shown / stored) > .001)' \
	"$(told ratio $shown)" "$(stat -c %s $shown)" "$(stat -c %s $coded)" || fail "ratio: $(told ratio $shown)"
[ -z "$(told reason $shown)" ] || fail "a container has a reason to be plain"
[ "$(told state mnt/plain.safetensors)" = plain ] && [ -n "$(told reason mnt/plain.safetensors)" ] || fail "plain"
[ "$(told state mnt/cut.safetensors)" = broken ] && [ -n "$(told reason mnt/cut.safetensors)" ] || fail "broken"
[ -z "$(told state mnt/tune)" ] || fail "a directory has no state"
[ -z "$(told policy mnt/plain.safetensors)" ] || fail "our own attributes are seen"
[ "$(status version)" = 1 ] && [ "$(status store)" = "$DFS_TMP/store" ] || fail "status"
[ "$(getfattr --only-values -n user.deltafs.status mnt | wc -c)" -lt 65536 ] || fail "status is too long"

[ "$(getfattr --only-values -n user.colour $shown)" = blue ] || fail "user.colour"
[ "$(getfattr --only-values -n user.word mnt/tune)" = d ] || fail "of a directory"
! getfattr -m - -d $shown mnt/plain.safetensors 2>/dev/null | grep -q deltafs || fail "user.deltafs.* or a mark is listed"
getfattr -m - $shown | grep -q user.colour || fail "user.colour is not listed"
cp -a $shown copy && [ "$(getfattr --only-values -n user.colour copy)" = blue ] || fail "cp -a loses an attribute"
! getfattr -m - copy | grep -q deltafs || fail "cp -a carries ours away"
for f in plain.safetensors tune; do
	[ "$(getfacl -cpE mnt/$f)" = "$(getfacl -cpE store/$f)" ] || fail "the ACL of $f: $(getfacl -cp mnt/$f)"
done
getfacl -cp mnt/base/model.safetensors >/dev/null || fail "no ACL"
stop_daemon mnt
