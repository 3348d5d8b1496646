#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pid1: in the foreground it is a good process 1: it serves, and a signal ends it
# test: root
. "$(dirname "$0")/common.sh"
[ -z "${DFS_USERNS:-}" ] || skip "pid namespaces are tested as root"

make_store --params 100000 --seed 13
for signal in TERM HUP; do
	: >said		# what the last one said is not this one's word
	unshare --pid --fork --mount-proc deltafs -f store mnt 2>said &
	outer=$!
	# It mounts in a mount namespace of its own, seen through its root.
	inner() { pgrep -P "$outer" -x deltafs; }
	ready() { grep -q 'is shown at' said; }
	retry 20 ready || fail "$(cat said)"
	pid=$(inner)
	cmp orig/tune/model.safetensors "/proc/$pid/root$DFS_TMP/mnt/tune/model.safetensors" || fail "bytes"
	kill -$signal "$pid"
	wait "$outer" || fail "SIG$signal: status $?"
done
