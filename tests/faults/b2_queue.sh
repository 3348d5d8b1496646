#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# B2: the disk stops, as by a power cut, while files wait for their quiet period: what waited for ten seconds is compressed after.
# test: timeout=900 root nosan
. "$(dirname "$0")/common.sh"
need mkfs.xfs mkfs.ext4

make_base --params 60000 --hidden 64 --vocab 256 --seed 511
mv store made && mkdir disk && ln -s disk/store store
kinds=("mkfs.ext4 -q")
[ -z "$DFS_FULL" ] || kinds+=("mkfs.xfs -q -f")
n=0
for fs in "${kinds[@]}"; do
	rm -f disk.img manifest
	# Committed only when somebody asks: what nobody synced is gone.
	truncate -s 320M disk.img && $fs disk.img && mount_image disk.img disk $([[ $fs = *ext4* ]] && echo -o commit=300) && cp -a made disk/store && sync -f disk || fail "$fs"
	DFS_WRAP=./own_share start_daemon store mnt -o rw,quiet=600
	sync -f disk
	for i in 1 2 3; do put "$original" "f$i" || fail "$fs: put"; done
	sleep 14	# ten seconds, and the sync itself
	! is_coded f1 || fail "$fs: compressed already: this shows nothing"
	python3 -c '
import fcntl, os, struct
fcntl.ioctl(os.open("disk", os.O_RDONLY), 0x8004587d, struct.pack("I", 2))' || fail "$fs: not shut down"
	umount mnt
	wait "$daemon"
	umount disk && mount_image disk.img disk || fail "$fs: the disk itself"
	start_rw
	promises_hold "$fs, mounted again"
	for i in 1 2 3; do becomes_coded "f$i" && n=$((n + 1)); done
	promises_hold "$fs, compressed"
	stop_daemon mnt
	every_container_verifies "$fs"
	is_tidy "$fs"
	umount disk
done
faults_fired "$n" 3
