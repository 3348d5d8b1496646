#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kept_no_room: promises 1 and 4, an original where nothing can be made any more: the file that it is kept for is written to with no inode left for a record, the daemon is killed or ends, and the original is kept still, of that file, and comes back.
# test: timeout=300 root
. "$(dirname "$0")/common.sh"

given_pair 5
tune=$PWD/orig/tune/model.safetensors
truncate -s 64M image
mkfs.ext4 -q -N 128 image || fail "mkfs"
mkdir fs
mount_image image fs || fail "mount of a file system with few inodes"
at_end 'umount -l fs 2>/dev/null'
cp -a store fs/store
told() { getfattr --absolute-names --only-values -n "user.deltafs.$1" "mnt/k/$2" 2>/dev/null; }
settle() { deltafsctl wait --timeout 240 mnt >/dev/null || fail "it did not come to rest: $(tail -3 "$log")"; }

start_daemon fs/store mnt -o rw,quiet=0
mkdir mnt/k
deltafsctl policy set mnt/k codec=bitdelta keep=manual >/dev/null || fail "policy set"
for end in killed ended; do
	cp "$tune" mnt/k/$end && settle && [ "$(told exact $end)" = 0 ] || fail "$end: $(told reason $end)"
	cp mnt/k/$end now && printf x | dd of=now bs=1 seek=90000 conv=notrunc status=none
	n=0
	while : 2>/dev/null >fs/filler.$n; do n=$((n + 1)); done 2>/dev/null
	# One, for the plain form.
	rm fs/filler.0 && : 2>/dev/null >fs/filler.0 && ! : 2>/dev/null >fs/one && rm fs/filler.0 || fail "$n files and there is room still"
	printf x | dd of=mnt/k/$end bs=1 seek=90000 conv=notrunc status=none || fail "$end: a write that had room"
	sync mnt/k/$end || fail "$end: sync"
	[ "$(told kept $end)" = manual ] || fail "$end: written to without room for a record: $(tail -3 "$log")"
	if [ $end = killed ]; then
		kill -9 "$daemon"
		wait "$daemon" 2>/dev/null
		umount -l mnt
	else
		stop_daemon mnt
	fi
	rm -f fs/filler.*
	start_daemon fs/store mnt -o rw,quiet=0
	sleep 2
	settle
	[ "$(told kept $end)" = manual ] || fail "$end: the original went: $(grep original "$log")"
	cmp mnt/k/$end now || fail "$end: what was written is not there"
	deltafsctl revert --yes mnt/k/$end >said 2>&1 && cmp mnt/k/$end "$tune" || fail "$end: revert: $(cat said)"
done
stop_daemon mnt
fsck.deltafs -f fs/store >said 2>&1 || fail "fsck: $(cat said)"
umount fs
