#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mounted: commands on paths of a mount: they find the store, or say which path to use.
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
. "$DFS_SRC/tests/lib/mount.sh"
[ -e /dev/fuse ] && command -v deltafs >/dev/null || skip "no mount here"

make_store --params 500000 --hidden 128 --seed 111
cp orig/tune/model.safetensors store/plain.safetensors
start_daemon store mnt
expect_fail 1 'is in a mount.*use .*/store/plain.safetensors' deltafsctl encode mnt/plain.safetensors
expect_fail 1 'is in a mount.*use .*/store/tune/model.safetensors' deltafsctl decode mnt/tune/model.safetensors
run deltafsctl decode mnt/tune/model.safetensors -o back
same back orig/tune/model.safetensors
run deltafsctl info mnt/tune/model.safetensors
grep -q compressed said || fail "info through the mount: $(cat said)"
run deltafsctl ls mnt
grep -q '^compressed .*mnt/tune/model.safetensors' said || fail "ls of the mount: $(cat said)"
run deltafsctl du mnt
run deltafsctl base list mnt
grep -q 'depends' said || fail "base list of the mount: $(cat said)"
run deltafsctl export mnt/tune/model.safetensors -o out.dfs
same out.dfs store/tune/model.safetensors
run deltafsctl encode store/plain.safetensors
same mnt/plain.safetensors orig/tune/model.safetensors
stop_daemon mnt

start_daemon store store
expect_fail 1 'lies over its own store; unmount' deltafsctl encode store/plain.safetensors
stop_daemon store
