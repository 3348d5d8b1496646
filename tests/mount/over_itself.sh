#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# over_itself: a mount over its own store, and one inside it, that does not lead into itself
# test: tsan userns
. "$(dirname "$0")/common.sh"

make_store --params 300000 --seed 6
start_daemon store store
timeout 60 cmp orig/tune/model.safetensors store/tune/model.safetensors || fail "bytes"
timeout 60 find store >/dev/null || fail "find"
[ ! -e store/.deltafs ] || fail ".deltafs shows"
expect_fail 1 'mounted there already' deltafs store store
stop_daemon store
[ -e store/.deltafs ] || fail "the store itself is not seen again"

mkdir -p store/views/mnt
start_daemon store store/views/mnt
timeout 60 cmp orig/tune/model.safetensors store/views/mnt/tune/model.safetensors || fail "a mount inside its store"
[ "$(timeout 60 find store/views/mnt -name mnt | wc -l)" = 1 ] || fail "it leads into itself"
[ ! -e store/views/mnt/views/mnt ] || fail "its own mountpoint shows"
stop_daemon store/views/mnt

# The base named through a path that the mount covers.
start_daemon store store -o "base=$DFS_TMP/store/base"
timeout 60 cmp orig/tune/model.safetensors store/tune/model.safetensors || fail "a base below the mount"
stop_daemon store

# A mount of a mount.
mkdir outer
start_daemon store mnt
inner=$daemon
start_daemon mnt outer
timeout 60 cmp orig/tune/model.safetensors outer/tune/model.safetensors || fail "a mount of a mount"
stop_daemon outer
daemon=$inner
stop_daemon mnt
