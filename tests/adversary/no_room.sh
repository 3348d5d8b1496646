#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# no_room: promises 4 and 8, bits are given up whole or not at all where the disk is full: at each size of what room there is a file stays what it was and says why, or is lossy and has its original; revert and accept work without room, and a write that has none leaves the file.
# test: timeout=300 root
. "$(dirname "$0")/common.sh"
. "$ADVERSARY/honest_common.sh"

[ "$(id -u)" = 0 ] || skip "mounting a disk needs root"
small_pair
mv store made && mkdir store && mount -t tmpfs -o size=2m tmpfs store || skip "no tmpfs"
at_end "umount -l mnt 2>/dev/null; umount -l store 2>/dev/null"
cp -a made/. store/ || fail "copy the store"
setfattr -n user.x -v x store/base.safetensors 2>/dev/null || skip "this tmpfs has no attributes"
start_daemon store mnt -o rw,quiet=0
mkdir mnt/d
policy mnt/d codec=bitdelta keep=manual
room() { echo $(($(stat -f -c '%a * %S' store) / 1024)); }
leave() {
	rm -f store/filler
	head -c $(($(room) - $1))K /dev/zero >store/filler 2>/dev/null
	[ "$(room)" -le $(($1 + 8)) ] || fail "$(room) KiB of room, not $1: this test is wrong"
}
n_kept() { find store/.deltafs/kept -type f -not -name '*.record' 2>/dev/null | wc -l; }
nothing_in_tmp() { [ -z "$(ls -A store/.deltafs/tmp)" ]; }
decided() { [ "$(told exact mnt/d/f)" = 0 ] || [ -n "$(told reason_word mnt/d/f)" ] && [[ $(told reason_word mnt/d/f) != quiet ]]; }
whole_or_not() {
	if [ "$(told exact mnt/d/f)" = 0 ]; then
		lossy mnt/d/f && [ "$(n_kept)" = 1 ] || fail "$1: it is lossy, and $(n_kept) originals are kept"
	else
		plain mnt/d/f && [ "$(n_kept)" = 0 ] || fail "$1: it is plain, and something is kept"
		[ "$(stat -c %h store/d/f)" = 1 ] || fail "$1: it has another name"
	fi
	retry 10 nothing_in_tmp || fail "$1: left behind: $(ls -l store/.deltafs/tmp)"
}

n_plain=0 n_lossy=0
for left in 0 8 32 64 100 130 160 200 300; do
	policy mnt/d quiet=600
	cp "$tune" mnt/d/f && sync mnt/d/f
	leave $left
	policy mnt/d quiet=0 >/dev/null 2>&1
	retry 120 decided || fail "$left KiB: nothing came of it: $(told state mnt/d/f) $(told reason mnt/d/f)"
	whole_or_not "$left KiB of room"
	if [ "$(told exact mnt/d/f)" = 1 ]; then
		n_plain=$((n_plain + 1))
		[ "$(told reason_word mnt/d/f)" = room ] || fail "$left KiB: the reason is '$(told reason mnt/d/f)'"
	else
		n_lossy=$((n_lossy + 1))
		leave 0
		if dd if=/dev/zero of=mnt/d/f bs=1 count=1 conv=notrunc status=none 2>/dev/null; then
			fail "$left KiB: a write to a container, for which there is no room"
		fi
		whole_or_not "$left KiB, a write without room"
		if [ $((n_lossy % 2)) = 0 ]; then
			deltafsctl accept mnt/d/f >said 2>&1 || fail "$left KiB: accept without room: $(cat said)"
			lossy mnt/d/f && [ "$(n_kept)" = 0 ] || fail "$left KiB: accepted, and kept"
			[ "$(room)" -ge 80 ] || fail "what was let go of has its room still: $(room) KiB"
		else
			deltafsctl revert mnt/d/f >said 2>&1 || fail "$left KiB: revert without room: $(cat said)"
			cmp mnt/d/f "$tune" && [ "$(n_kept)" = 0 ] || fail "$left KiB: reverted to other bytes, or kept"
		fi
	fi
	rm mnt/d/f
done
rm store/filler
[ $n_plain -ge 2 ] && [ $n_lossy -ge 2 ] || fail "$n_plain times there was too little room, $n_lossy times enough: this test is wrong"
cp "$tune" mnt/d/f && settle && lossy mnt/d/f
still_alive
stop_daemon mnt
fsck.deltafs -f store >said 2>&1 || fail "fsck: $(cat said)"
