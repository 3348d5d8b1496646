#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stale: a mount left behind by a killed daemon is cleared away by the next one
# test: userns
. "$(dirname "$0")/common.sh"

make_store --params 100000 --seed 5
dead() { ! stat "$1" >/dev/null 2>&1; }
for mountpoint in mnt mnt/ "$DFS_TMP/mnt" ./mnt; do
	start_daemon store mnt
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null
	retry 10 dead mnt || fail "the mountpoint still answers"
	start_daemon store "$mountpoint"
	cmp orig/tune/model.safetensors mnt/tune/model.safetensors || fail "$mountpoint: bytes"
	stop_daemon mnt
	[ -z "$(ls mnt)" ] || fail "$mountpoint: something stays mounted"
done

# Also over its own store.
start_daemon store store
kill -9 "$daemon"
wait "$daemon" 2>/dev/null
retry 10 dead store || fail "the mountpoint still answers"
start_daemon store store
cmp orig/tune/model.safetensors store/tune/model.safetensors || fail "over its own store"
stop_daemon store
