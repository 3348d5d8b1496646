#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pushed: a large file is on its way to the disk while it is written, without a sync; what is written over and over again is not.
# test: serial root timeout=120
. "$(dirname "$0")/common.sh"

# dirty FILE: bytes of it that nothing has begun to write to the disk.
dirty() { pages_cached "$1" 1; }

need mkfs.ext4
mkdir ext4 mnt
truncate -s 256M ext4.img && mkfs.ext4 -q -b 4096 ext4.img || fail "mkfs.ext4"
mount_image ext4.img ext4 || skip "no loop devices"
mkdir ext4/store
# The disk is asked for by nobody else meanwhile.
late=$(cat /proc/sys/vm/dirty_expire_centisecs)
[ "$late" -ge 2000 ] || skip "the kernel writes back after $late hundredths of a second by itself"
# Each write comes as it is made.
start_daemon "$PWD/ext4/store" "$PWD/mnt" -o rw,noingest,nowriteback
python3 - mnt/small mnt/large <<'PY' || fail "the writer failed"
import os, sys
small, large = (os.open(path, os.O_RDWR | os.O_CREAT) for path in sys.argv[1:])
for i in range(64):
    os.pwrite(small, bytes([i]) * (1 << 20), 0)
    os.write(large, os.urandom(1 << 20))
PY
left=$(dirty ext4/store/small)
case $? in 0) ;; 77) skip "no cachestat(2)" ;; *) fail "cachestat" ;; esac
[ "$left" -gt 0 ] || fail "1 MiB that was written 64 times went to the disk"
going() { [ "$(dirty ext4/store/large)" -le $((16 << 20)) ]; }
retry 15 going || fail "$(dirty ext4/store/large) bytes of 64 MiB wait"
# Of what is appended to a file that was large before, that is not so.
sync -f ext4/store
echo line >>mnt/large
sleep 2
[ "$(dirty ext4/store/large)" -gt 0 ] || fail "a line that was appended went to the disk at once"
stop_daemon mnt
