#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# unmounts: promise 4, kill and unmount at any moment: forty times in the middle of reads; the mountpoint always works again.
# test: timeout=240
. "$(dirname "$0")/common.sh"

given_pair
# Without what a mount notes for itself.
sums() { find store -path store/.deltafs -prune -o -type f -exec sha256sum {} + | sort; }
before=$(sums)
for ((round = 0; round < 41; round++)); do
	# Not start_daemon: a mount that was just killed looks mounted for a second.
	# Emptied here: the shell would do it behind our back, and the line of the round before be taken for this one's.
	: >log
	options=cache=4M
	((round & 1)) || options+=,ro
	deltafs -f -o "$options" store mnt 2>>log >/dev/null </dev/null &
	daemon=$! log=log
	retry 30 grep -q 'is shown at' log || fail "round $round: no mount: $(cat log)"
	pids=()
	for i in 1 2 3 4; do
		{ while cat mnt/tune/model.safetensors >out.$i 2>/dev/null; do [ -s out.$i ] || break; done; } 2>/dev/null &
		pids+=($!)
	done
	sleep 0.0$((RANDOM % 10))
	case $((round % 5)) in
	0) kill -TERM "$daemon"; want=0 ;;
	1) umount -l mnt 2>/dev/null || fusermount3 -uz mnt; want=0 ;;
	2) kill -KILL "$daemon"; want=137 ;;
	3) kill -HUP "$daemon"; want=0 ;;
	4) { umount -l mnt 2>/dev/null || fusermount3 -uz mnt; } & pids+=($!); while kill -TERM "$daemon" 2>/dev/null; do :; done; want=0 ;;
	esac
	status=0
	timeout 30 tail --pid="$daemon" -f /dev/null || fail "round $round: the daemon hangs"
	wait "$daemon" 2>/dev/null || status=$?
	[ "$status" = "$want" ] || fail "round $round: status $status, not $want: $(tail -3 "$log")"
	for pid in "${pids[@]}"; do
		timeout 30 tail --pid="$pid" -f /dev/null || fail "round $round: a reader hangs"
	done
	wait "${pids[@]}" 2>/dev/null
done
start_daemon store mnt
cmp mnt/tune/model.safetensors orig/tune/model.safetensors || fail "wrong bytes"
alive
stop_daemon mnt
[ "$before" = "$(sums)" ] || fail "the store changed"
fsck.deltafs -n store >checked 2>&1 || fail "fsck: $(cat checked)"
