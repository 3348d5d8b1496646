#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C5: one bad place of a disk under a plain file: EIO for its pages, all other bytes right, the size as it was.
# test: timeout=120 root
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"
. "$DFS_SRC/tests/lib/disk.sh"
disk_need

mkdir orig mnt
# A bad byte at the place that the file "bad" names, if there is one.
cat >pread.sh <<'SH'
bad=$(cat "$BAD" 2>/dev/null || echo -1)
if [ "$bad" -ge "$4" ] && [ "$bad" -lt $(($4 + $3)) ]; then
	echo "EIO bad place" >&2
	exit 1
fi
dd if="$DISK" iflag=skip_bytes,count_bytes skip="$4" count="$3" bs=1M status=none
SH
cat >pwrite.sh <<'SH'
dd of="$DISK" oflag=seek_bytes seek="$4" bs=1M conv=notrunc status=none
SH
export DISK="$DFS_TMP/disk.img" BAD="$DFS_TMP/bad"
disk_make 64M eval get_size="stat -c %s $DISK" pread="bash $DFS_TMP/pread.sh \"\$@\"" \
	pwrite="bash $DFS_TMP/pwrite.sh \"\$@\"" can_write="exit 0" can_flush="exit 0" flush="exit 0"

# The place lies in the middle of what the kernel asks for at once.
size=$((1 << 20)) place=$((200 << 10))
python3 -c '
import random, sys
data = bytearray(random.Random(sys.argv[3]).randbytes(int(sys.argv[1])))
data[int(sys.argv[2]):int(sys.argv[2]) + 24] = b"here the disk goes bad.."
sys.stdout.buffer.write(data)' "$size" "$place" "$seed" >orig/plain
mkdir disk/store && cp orig/plain disk/store/ && sync -f disk
at=$(grep -abo -m1 'here the disk goes bad' disk.img | cut -d: -f1)
[ "$((at % 4096))" = "$((place % 4096))" ] || fail "the file's block is not found"

everything_cold() { disk_cold mnt/plain disk/store/plain; }
start_daemon disk/store mnt
everything_cold
cmp mnt/plain orig/plain || fail "wrong before anything failed"
echo "$at" >bad
everything_cold
pages mnt/plain orig/plain
fired=$refused
[ "$wrong" = 0 ] || fail "page by page: $wrong pages wrong"
everything_cold
expect_fail any 'Input/output error' sh -c 'cat mnt/plain >/dev/null'
[ "$(stat -c %s mnt/plain)" = "$size" ] || fail "the file shows $(stat -c %s mnt/plain) bytes of $size"
[ "$(tail -c 4096 mnt/plain | sha256sum)" = "$(tail -c 4096 orig/plain | sha256sum)" ] || fail "its end is lost"
rm bad
everything_cold
cmp mnt/plain orig/plain || fail "after the disk recovered"
stop_daemon mnt
faults_fired "$fired"
