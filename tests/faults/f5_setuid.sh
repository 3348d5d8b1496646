#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# F5: set-id bits go when a user writes, cuts, or gives a file away, plain or compressed; the mount honours neither them nor devices.
# test: timeout=300 root
. "$(dirname "$0")/common.sh"
need setpriv

make_base --params 60000 --hidden 64 --vocab 256 --seed 361
as_nobody=(setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups)
n=0
# Python by itself: it may lie where nobody may look.
as_nobody() { if [ "$1" = python3 ]; then "$@"; else "${as_nobody[@]}" "$@"; fi; }
mode() { stat -c %a "$1"; }

# clears HOW WANT COMMAND...: as nobody, on a file of mode 6777 that belongs to root.
clears() {
	local how=$1 want=$2 state
	shift 2
	for state in plain coded; do
		rm -f mnt/f
		cp "$original" mnt/f
		[ "$state" = plain ] || becomes_coded f
		chown root:root mnt/f && chmod 6777 mnt/f
		[ "$(mode mnt/f)" = 6777 ] || fail "chmod 6777 shows $(mode mnt/f)"
		as_nobody "$@" || fail "$how, $state: $*"
		[ "$(mode mnt/f)" = "$want" ] || fail "$how, $state: mode $(mode mnt/f), not $want"
		[ "$(mode store/f)" = "$want" ] || fail "$how, $state: mode $(mode store/f) in the store, not $want"
		n=$((n + 1))
	done
}

for options in allow_other allow_other,nowriteback; do
	start_rw "$options"
	clears append 777 sh -c 'echo x >>mnt/f'
	clears write 777 dd if=/dev/zero of=mnt/f bs=1 seek=77 count=1 conv=notrunc,fsync status=none
	clears truncate 777 truncate -s 1000 mnt/f
	clears O_TRUNC 777 sh -c ': >mnt/f'
	clears fallocate 777 fallocate -l 3M mnt/f
	clears punch 777 fallocate -p -o 4096 -l 4096 mnt/f
	clears "copy_file_range" 777 python3 -c '
import os
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
a, b = os.open("mnt/base/model.safetensors", os.O_RDONLY), os.open("mnt/f", os.O_RDWR)
os.copy_file_range(a, b, 1000)'
	clears "nothing written" 6777 sh -c 'exec 3<>mnt/f'
	chown_root() { chown 1234:1234 mnt/f; }
	rm mnt/f && cp "$original" mnt/f && becomes_coded f && chmod 6777 mnt/f && chown_root
	[ "$(mode mnt/f)" = 777 ] || fail "given away: $(mode mnt/f)"
	# kept over compression
	rm mnt/f && cp "$original" mnt/f && chmod 4755 mnt/f && becomes_coded f
	[ "$(mode mnt/f)" = 4755 ] && [ "$(mode store/f)" = 4755 ] || fail "compressed: $(mode mnt/f)"

	# Neither set-id programs nor devices do anything here.
	cp "$(command -v id)" mnt/id && chmod 4755 mnt/id
	[ "$("${as_nobody[@]}" mnt/id -u)" = "$(id -u nobody)" ] || fail "a set-uid program runs as root"
	mknod mnt/zero c 1 5 || fail "mknod by root"
	chmod 666 mnt/zero && chmod 777 mnt
	expect_fail any 'ermission denied' head -c1 mnt/zero
	expect_fail any 'not permitted' "${as_nobody[@]}" mknod mnt/zero2 c 1 5
	"${as_nobody[@]}" mkfifo mnt/fifo && [ -p mnt/fifo ] || fail "mkfifo by a user"
	rm -f mnt/zero mnt/id mnt/fifo mnt/f
	stop_daemon mnt
done
faults_fired "$n" 32
