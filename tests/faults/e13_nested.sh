#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E13: a mount over its own store, a base that is in the mount, a store in another deltafs: no deadlock.
# test: timeout=300
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"

make_store --params 400000 --hidden 256 --vocab 512 --seed 141
original=orig/tune/model.safetensors

start_daemon store store
timeout 60 cmp store/tune/model.safetensors "$original" || fail "over itself: wrong bytes or no answer"
timeout 60 ls -lR store >/dev/null || fail "over itself: ls"
[ ! -e store/.deltafs ] || fail ".deltafs shows"
[ "$(timeout 60 getfattr --only-values -n user.deltafs.codec store/tune/model.safetensors)" != "" ] || fail "over itself: xattrs"
stop_daemon store

# The base named by the mount is a path of the mount itself, once it is mounted.
start_daemon store store -o base="$PWD/store/base"
timeout 60 cmp store/tune/model.safetensors "$original" || fail "base inside the mount: wrong bytes or no answer"
stop_daemon store

# A store seen through another deltafs.
mkdir outer outer/inner outermnt
cp -a store/. outer/inner/
deltafsctl base add outer outer/inner/base >/dev/null || fail "base add"
start_daemon outer outermnt
outer_daemon=$daemon outer_log=$log
if timeout 60 deltafs -f outermnt/inner mnt 2>inner.log & then inner=$!; fi
inner_settled() { is_mounted mnt || ! kill -0 "$inner" 2>/dev/null; }
retry 30 inner_settled || fail "neither mounted nor refused"
if is_mounted mnt; then
	timeout 60 cmp mnt/tune/model.safetensors "$original" || fail "nested: wrong bytes or no answer"
	umount mnt 2>/dev/null || fusermount3 -u mnt
fi
wait "$inner"
daemon=$outer_daemon log=$outer_log
stop_daemon outermnt
faults_fired 3 # ways to nest
