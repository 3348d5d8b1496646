#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C2: no room, or no inode, for the container: the file stays plain, said once, tried again later without haste.
# test: timeout=300 root
. "$(dirname "$0")/common.sh"
need mkfs.ext4

make_base --params 300000 --hidden 256 --vocab 512 --seed 271
store_on_disk 32M -N 64
start_rw

n=0
# stays_plain WHAT: tried, told once, and nobody spins.
stays_plain() {
	local tried
	tried() { grep -Eq "f: (stays as it is|later)" "$log"; }
	retry 30 tried || fail "$1: not even tried: $(cat "$log")"
	is_idle "$1"
	tried=$(grep -Ec 'f: (stays as it is|later)' "$log")
	[ "$tried" -le 2 ] || fail "$1: $tried lines in the log: $(cat "$log")"
	! is_coded f || fail "$1: compressed without room?"
	promises_hold "$1"
	is_tidy "$1"
	n=$((n + 1))
}

put "$original" keep && becomes_coded keep || fail "keep"
# The file first, the disk is filled while it is open.
exec 9>mnt/f
cat "$original" >&9 && sync mnt/f mnt && promise "$original" f
leave 200
exec 9>&-
stays_plain "no room"
rm disk/filler
becomes_coded f 60
promises_hold "with room"

# No inode for the temporary.
rm mnt/f
: >"$log"
exec 9>mnt/f
cat "$original" >&9 && sync mnt/f mnt
i=0
while : 2>/dev/null >"disk/inode.$i"; do i=$((i + 1)); done
[ "$i" -gt 10 ] || fail "only $i inodes"
exec 9>&-
stays_plain "no inode"
rm disk/inode.*
becomes_coded f 60
promises_hold "with inodes"
stop_daemon mnt
every_container_verifies "in the end"
faults_fired "$n" 2
