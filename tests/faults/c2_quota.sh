#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C2, C3: a quota: EDQUOT for who writes and for who thaws, a container that stays whole, a file that stays plain and is tried again; and root's right to pass it is not lent.
# test: timeout=300 root
. "$(dirname "$0")/common.sh"
need mkfs.btrfs btrfs

make_base --params 300000 --hidden 256 --vocab 512 --seed 451
[ "$(id -u)" = 0 ] || skip "mounting a disk needs root"
mv store made && mkdir disk
truncate -s 256M disk.img && mkfs.btrfs -q disk.img >/dev/null 2>&1 && mount_image disk.img disk || skip "no btrfs"
btrfs quota enable disk && btrfs subvolume create disk/store >/dev/null || fail "a quota on btrfs"
cp -a made/. disk/store/ && ln -s disk/store store
# Who has CAP_SYS_RESOURCE may pass a quota, as on other file systems.
override=/sys/fs/btrfs/$(blkid -p -s UUID -o value disk.img)/quota_override
may_pass=
! { echo 1 >"$override"; } 2>/dev/null || may_pass=1

used() { btrfs qgroup show --raw --sync -f disk/store | awk 'END { print $2 }'; }
# leave_quota KIB: so much more may be used from now on; "none" without end.
leave_quota() {
	local limit=none
	[ "$1" = none ] || limit=$(($(used) + ($1 << 10)))
	btrfs qgroup limit "$limit" disk/store && sync -f disk || fail "btrfs qgroup limit $limit"
}
n=0
exceeds() { expect_fail any 'quota exceeded' "$@"; n=$((n + 1)); }

ways=("" nowriteback)
[ -n "$DFS_FULL" ] || ways=("${ways[RANDOM % 2]}")
for options in "${ways[@]}"; do
	leave_quota none
	start_rw "$options"
	put "$original" keep && becomes_coded keep || fail "keep"
	exec 9>mnt/f
	cat "$original" >&9 && sync mnt/f mnt && promise "$original" f
	leave_quota 100
	if [ -n "$may_pass" ]; then
		head -c 1M /dev/urandom >disk/store/passes || fail "root does not pass the quota"
		rm disk/store/passes && leave_quota 100
	fi
	sum=$(sha256sum <store/keep)

	# Ingest first, which has what is left to itself.
	exec 9>&-
	tried() { grep -Eq "f: (stays as it is|later)" "$log"; }
	retry 30 tried || fail "$options: ingest is not even tried: $(cat "$log")"
	n=$((n + 1))
	is_idle "$options, over quota"
	[ "$(grep -Ec 'f: (stays as it is|later)' "$log")" -le 2 ] || fail "$options: said again and again: $(cat "$log")"
	! is_coded f || fail "$options: compressed all the same"
	is_tidy "$options, over quota"

	exceeds dd if="$original" of=mnt/new bs=64K conv=fsync status=none
	exceeds fallocate -l 2M mnt/new2
	exceeds sh -c 'echo x >>mnt/keep'
	exceeds dd if=/dev/zero of=mnt/keep bs=1 seek=100 count=1 conv=notrunc status=none
	exceeds python3 -c 'import os; os.truncate("mnt/keep", 400000)'
	[ "$(sha256sum <store/keep)" = "$sum" ] || fail "$options: the container was touched"
	evict mnt/keep
	promises_hold "$options, over quota"
	is_tidy "$options, over quota, written to"
	kill -0 "$(daemon_pid)" || fail "$options: dead"

	leave_quota none
	rm -f mnt/new mnt/new2
	becomes_coded f 60
	cp "$original" want && echo x >>want && echo x >>mnt/keep && sync mnt/keep && promise want keep || fail "$options: with quota again"
	promises_hold "$options, with quota again"
	rm mnt/f mnt/keep manifest
	stop_daemon mnt
	every_container_verifies "$options"
	is_tidy "$options, in the end"
done
faults_fired "$n" $((6 * ${#ways[@]}))
