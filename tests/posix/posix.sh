#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# posix: the suite passes on file systems that are trusted, so what fails elsewhere is not the suite's fault.
# test: root timeout=300
. "$(dirname "$0")/common.sh"
need mkfs.ext4

mkdir ext4 tmpfs
truncate -s 256M ext4.img && mkfs.ext4 -q -b 4096 ext4.img || fail "mkfs.ext4"
mount_image ext4.img ext4 || skip "no loop devices"
mount -t tmpfs -o mode=755 tmpfs tmpfs || fail "mount tmpfs"

posix_holds ext4
posix_holds tmpfs 'fallocate/zero*' mmap/tail-is-not-file
