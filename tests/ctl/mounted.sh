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
# Through the mount all looks plain; what is checked is what is stored.
run deltafsctl verify -r mnt
grep -q '^3 files: 1 right, 2 left' said || fail "verify of the mount: $(cat said)"
expect_fail 1 'mnt is in a mount.*use .*/store$' deltafsctl estimate -r mnt
run deltafsctl base list mnt
grep -q 'depends' said || fail "base list of the mount: $(cat said)"
run deltafsctl export mnt/tune/model.safetensors -o out.dfs
same out.dfs store/tune/model.safetensors
run deltafsctl encode store/plain.safetensors
same mnt/plain.safetensors orig/tune/model.safetensors
# A base named by its path in the mount is the store's own file: linked, not copied, and not read through the mount.
"$DFS_BUILD/tests/tools/make_pair" --params 300000 --hidden 64 --seed 112 other >/dev/null || fail "make_pair"
mkdir -p store/hub/models--o--n/blobs store/hub/models--o--n/snapshots/c0ffee
cp other/base/model.safetensors store/hub/models--o--n/blobs/0a1b2c
ln -s ../../blobs/0a1b2c store/hub/models--o--n/snapshots/c0ffee/model.safetensors
cp other/tune/model.safetensors store/second.safetensors
run deltafsctl base add --json store mnt/hub/models--o--n/snapshots/c0ffee/model.safetensors
cp said added
[ "$(member added '[o["bases_added"][0][k] for k in ("bytes_linked", "bytes_copied")]')" = "[$(size other/base/model.safetensors), 0]" ] ||
	fail "a base of the store was not linked: $(cat added)"
run deltafsctl base list --json store
cp said list
[ "$(member list '[b["names"] for b in o["bases"] if b["repository"] == "o/n" and b["commit"] == "c0ffee"]')" = \
	"[['hub/models--o--n/snapshots/c0ffee/model.safetensors']]" ] || fail "named by the mount: $(cat list)"
cp other/tune/model.safetensors store/third.safetensors
run deltafsctl base add --by-reference store mnt/third.safetensors
run deltafsctl encode --base mnt/third.safetensors store/second.safetensors
same mnt/second.safetensors other/tune/model.safetensors
stop_daemon mnt	# which no base holds busy
run deltafsctl verify store/second.safetensors

start_daemon store store
expect_fail 1 'lies over its own store; unmount' deltafsctl verify store/tune/model.safetensors
expect_fail 1 'lies over its own store; unmount' deltafsctl encode store/plain.safetensors
stop_daemon store
