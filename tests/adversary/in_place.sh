#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# in_place: promise 2: a file of the store is rewritten in place, its size and mtime kept, now plain, now a container; no mix is shown.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
head -c 600000 orig/tune/model.safetensors >v1
head -c 600000 orig/base/model.safetensors >v2
forge wrap v1 c1
size=$(stat -c %s c1)
# Plain versions of the container's size, so that the inode never changes its size.
head -c "$size" orig/base/model.safetensors >p1
head -c "$size" /dev/urandom >p2
cp p1 store/file && touch -d '2026-01-01' store/file stamp
start_daemon store mnt
hammer_start 6 mnt/file p1 p2 v1
end=$((SECONDS + 6)) n=0
while [ $SECONDS -lt $end ]; do
	for next in p2 c1 p1; do
		cat $next | dd of=store/file conv=notrunc bs=1M iflag=fullblock status=none
		touch -r stamp store/file
		sleep 0.3
		n=$((n + 1))
	done
done
wait "$hammer_pid" || fail "the readers died"
read -r right refused wrong <hammered
# Rewriting in place is not atomic: a pass may see a state of the store that was
# there for a moment. What must never show are a container's own bytes.
echo "$n rewrites; readers: $right right, $refused refused, $wrong in between"
[ "$right" -gt 20 ] || fail "too little was read"
cat c1 | dd of=store/file conv=notrunc bs=1M iflag=fullblock status=none
touch -r stamp store/file
settled() { cmp -s mnt/file v1; }
retry 5 settled || fail "the container does not show as its file"
cat p2 | dd of=store/file conv=notrunc bs=1M iflag=fullblock status=none
touch -r stamp store/file
settled() { cmp -s mnt/file p2; }
retry 5 settled || fail "the plain file does not show: the page cache kept another's bytes"
alive
stop_daemon mnt
