#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# below: a mount that is gone before it is ready tunes its own readahead and dirty memory, never those of the disk below
# test: root timeout=120
. "$(dirname "$0")/common.sh"

need mkfs.ext4
mkdir disk store
truncate -s 16M disk.img && mkfs.ext4 -q disk.img || fail "mkfs.ext4"
mount_image disk.img disk || skip "no loop devices"
mkdir disk/mnt
bdi=/sys/class/bdi/$(mountpoint -d disk)
gone() { ! kill -0 "$pid" 2>/dev/null; }
tuned() { cat "$bdi/read_ahead_kb" "$bdi/max_ratio"; }
before=$(tuned)
for i in $(seq 60); do
	deltafs -f -o rw store disk/mnt 2>said &
	pid=$!
	# From before it is mounted to after it is ready.
	sleep "0.0$((i % 30 + 10))"
	# Once is not always enough so early: it may be mounted between the two.
	while ! gone; do
		umount -l disk/mnt 2>/dev/null || kill "$pid" 2>/dev/null
		sleep 0.02
	done
	wait "$pid"
	[ "$(tuned)" = "$before" ] || fail "$i: the disk below has $(tuned | xargs), not $(echo "$before" | xargs)"
done
umount disk
