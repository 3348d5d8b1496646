#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# listing: ls and du show files by the path that was asked for, a snapshot's blobs included.
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"

make_pair --params 300000 --hidden 64 --seed 71 p
repository=hub/models--o--n
snapshot=$repository/snapshots/c0ffee
mkdir -p $repository/blobs $snapshot
cp p/tune/model.safetensors $repository/blobs/0d1e2f
ln -s ../../blobs/0d1e2f $snapshot/model.safetensors
echo '{}' >$repository/blobs/0a1b2c
ln -s ../../blobs/0a1b2c $snapshot/config.json
run deltafsctl base add hub p/base
run deltafsctl encode $snapshot/model.safetensors
blob=$(($(stat -c %b $repository/blobs/0d1e2f) * 512))
both=$(($(stat -c %b $repository/blobs/0a1b2c) * 512 + blob))

# shown PATH NAME...: ls and du of PATH tell the names, and what the blob takes.
shown() {
	local path=$1
	shift
	deltafsctl ls --json "$path" >"$DFS_TMP/listed" || fail "ls $path"
	[ "$(member "$DFS_TMP/listed" '" ".join(f["path"] for f in o["files"])')" = "$*" ] || fail "ls $path: $(cat "$DFS_TMP/listed")"
	[ "$(member "$DFS_TMP/listed" '[f["stored_bytes"] for f in o["files"] if f["state"] == "compressed"]')" = "[$blob]" ] || fail "ls $path: $(cat "$DFS_TMP/listed")"
	deltafsctl du --json "$path" >"$DFS_TMP/summed" || fail "du $path"
	[ "$(member "$DFS_TMP/summed" 'o["directories"][-1]["path"]')" = "$path" ] || fail "du $path: $(cat "$DFS_TMP/summed")"
}
sum() { member "$DFS_TMP/summed" 'o["directories"][-1]["stored_bytes"]'; }

for path in hub $repository $repository/snapshots $snapshot; do
	shown $path $snapshot/config.json $snapshot/model.safetensors
	[ "$path" = hub ] || [ "$(sum)" = $both ] || fail "du $path: $(cat "$DFS_TMP/summed")"
done
shown $snapshot/ $snapshot/config.json $snapshot/model.safetensors
shown "$PWD/$snapshot//" "$PWD/$snapshot/config.json" "$PWD/$snapshot/model.safetensors"
shown $snapshot/model.safetensors $snapshot/model.safetensors
[ "$(member summed 'len(o["directories"])')" = 1 ] || fail "a file is counted twice: $(cat summed)"
ln -s $repository link
shown link link/snapshots/c0ffee/config.json link/snapshots/c0ffee/model.safetensors
(cd $snapshot && shown . config.json model.safetensors) || exit 1
(cd $snapshot && shown ../.. ../../snapshots/c0ffee/config.json ../../snapshots/c0ffee/model.safetensors) || exit 1

# What cannot be shown is named as it was asked for.
expect_fail 1 '^deltafsctl: /dev/null: neither a file nor a directory' deltafsctl ls /dev/null
if [ "$(id -u)" != 0 ]; then
	mkdir hub/closed && chmod 0 hub/closed
	expect_fail 1 '^deltafsctl: hub/closed: Permission denied' deltafsctl ls hub
	chmod 700 hub/closed
fi
