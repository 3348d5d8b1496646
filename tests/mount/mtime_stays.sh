#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mtime_stays: what stat shows when a file was closed, or synced, is what it shows after a remount, however fast it was written.
# test: root
. "$(dirname "$0")/common.sh"

mkdir store mnt
head -c 134648 /dev/urandom >data
n=0

# shown LIST: names and mtimes.
shown() { (cd "$1" && stat -c '%n %y %s' ./*); }

for options in rw,noingest rw,noingest,nowriteback; do
	rm -rf store/*
	start_daemon store mnt -o $options
	for ((i = 0; i < 40; i++)); do
		cp data "mnt/copied.$i"
		dd if=data of="mnt/synced.$i" bs=64K conv=fsync status=none
		echo x >"mnt/small.$i"
		: >"mnt/empty.$i"
		printf y >>"mnt/empty.$i"
		echo again >"mnt/small.$i"
		cp -p data "mnt/kept.$i"
		truncate -s 5 "mnt/copied.$((i / 2))"
		python3 - "mnt/mapped.$i" "mnt/open.$i" "mnt/again.$i" <<'PY'
import mmap, os, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
os.ftruncate(fd, 10000)
m = mmap.mmap(fd, 10000)
m[5000] = 7
os.close(fd)
m.close()
fd = os.open(sys.argv[2], os.O_RDWR | os.O_CREAT)
os.write(fd, b"a")
os.fsync(fd)
os.pwrite(fd, b"b", 9000)
os.utime(fd, ns=(5, 1234567890123456789))
os.close(fd)
# Later than it was made, and several times within one tick of the kernel's clock.
fd = os.open(sys.argv[3], os.O_RDWR | os.O_CREAT)
time.sleep(.02)
for at in range(8):
    os.pwrite(fd, b"c", at)
    os.fsync(fd)
os.close(fd)
PY
	done
	shown mnt >before
	n=$((n + $(wc -l <before)))
	retry 10 sh -c '! ls -l /proc/'"$daemon"'/fd | grep -q "store/.*\.[0-9]"' # the last releases have come
	shown store >stored
	diff before stored || fail "$options: the store's files show other times"
	stop_daemon mnt
	start_daemon store mnt -o $options
	shown mnt >after
	diff before after || fail "$options: after a remount other times are shown"
	stop_daemon mnt
done
[ "$n" -ge 500 ] || fail "only $n files"
