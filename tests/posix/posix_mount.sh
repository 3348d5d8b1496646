#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# posix_mount: the mount does what section 2 of the manual says, as ext4 does below it.
# test: root timeout=600
#
#	posix_mount.sh [CALL|CALL/CASE]...	only these, of `posix -l DIR`
. "$(dirname "$0")/common.sh"
. "$DFS_SRC/tests/lib/mount.sh"
[ -c /dev/fuse ] || skip "no /dev/fuse"
need mkfs.ext4

# O_TMPFILE is refused as callers expect (they fall back), the page cache keeps atimes to itself.
unasked='tmpfile/* setxattr/security setxattr/capability* acl/default-tmpfile read/times'
set -f
posix_calls=$*

mkdir ext4 mnt
truncate -s 512M ext4.img && mkfs.ext4 -q -b 4096 ext4.img || fail "mkfs.ext4"
mount_image ext4.img ext4 || skip "no loop devices"
mkdir -m 755 ext4/store
for options in rw,allow_other rw,allow_other,nowriteback; do
	start_daemon "$PWD/ext4/store" "$PWD/mnt" -o "$options"
	# With writeback, blocks of what the kernel still holds back are not known to the
	# store's file. Without, the server's reads move the atime of any reader.
	[[ $options = *nowriteback* ]] && posix_known='read/times-noatime' ||
		posix_known='stat/blocks stat/blocks-after-stat'
	# shellcheck disable=SC2086
	posix_holds mnt $unasked
	stop_daemon mnt
	[ "$(ls -A ext4/store | grep -vx .deltafs)" = "" ] || fail "left behind: $(ls -A ext4/store)"
done
