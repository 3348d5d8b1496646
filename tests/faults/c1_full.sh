#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C1, C3: a full disk: ENOSPC for who writes, a container that is to be changed stays whole, all works again with room.
# test: timeout=300 root
. "$(dirname "$0")/common.sh"
need mkfs.ext4

make_base --params 300000 --hidden 256 --vocab 512 --seed 261
store_on_disk 32M
all=0
for options in "" nowriteback; do
	start_rw "$options"
	put "$original" f && put "$original" g && becomes_coded f && becomes_coded g || fail "put"
	becomes_tidy() { nothing_in_tmp; }
	retry 10 becomes_tidy
	sum=$(sha256sum <store/f)
	fired=0

	intact() {
		[ "$(sha256sum <store/f)" = "$sum" ] || fail "$options $1: the container was touched"
		evict mnt/f store/f
		promises_hold "$options $1"
		is_tidy "$options $1"
		fired=$((fired + 1))
	}

	# C3: not room enough to make it plain.
	for kib in 0 4 100 $((original_size / 1024 - 100)); do
		leave "$kib"
		expect_fail any 'No space' sh -c 'echo x >>mnt/f'
		intact "append, $kib KiB"
		expect_fail any 'No space' dd if=/dev/zero of=mnt/f bs=1 seek=100 count=1 conv=notrunc status=none
		intact "write, $kib KiB"
		expect_fail any 'No space' truncate -s 100000 mnt/f
		intact "truncate, $kib KiB"
		expect_fail any 'No space' python3 -c 'import os; os.truncate("mnt/f", 100)'
		intact "truncate(2), $kib KiB"
		touch mnt/f && chmod 640 mnt/f && mv mnt/f mnt/f2 && mv mnt/f2 mnt/f || fail "$options $kib KiB: what needs no room"
		sum=$(sha256sum <store/f)
		python3 -c 'import fcntl; f = open("mnt/f"); fcntl.flock(f, fcntl.LOCK_EX)' || fail "lock"
		intact "names and modes, $kib KiB"
	done

	# C1: who writes is told, at the latest by close.
	leave 1000
	expect_fail any 'No space' cp "$original" mnt/new1
	expect_fail any 'No space' dd if=/dev/zero of=mnt/new2 bs=64K count=100 conv=fsync status=none
	intact "cp"
	cmp mnt/g "$original" || fail "$options another file suffers"
	leave 0
	expect_fail any 'No space' python3 - <<'PY'
import mmap, os
fd = os.open("mnt/new3", os.O_RDWR | os.O_CREAT)
os.write(fd, b"x" * 4096)
os.fsync(fd)
os.close(fd)
PY
	intact "one page"

	rm -f disk/filler mnt/new*
	echo x >>mnt/f || fail "$options with room: cannot be written"
	cp "$original" want && echo x >>want && sync mnt/f && promise want f
	cp "$original" mnt/new && cmp mnt/new "$original" || fail "$options with room"
	becomes_coded new
	promises_hold "$options with room"
	[ "$fired" -ge 20 ] || fail "only $fired"
	all=$((all + fired))
	kill -0 "$daemon" || fail "dead"
	rm mnt/f mnt/g mnt/new manifest
	stop_daemon mnt
	every_container_verifies "$options"
	is_tidy "$options"
done
faults_fired "$all"
