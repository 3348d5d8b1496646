#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# F1: hostile model files are stored and shown byte for byte, in bounded memory and time.
# test: timeout=900
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"
need /usr/bin/time

make_store --params 100000 --seed 171
mkdir hostile
python3 "$DFS_SRC/tests/faults/hostile.py" hostile || fail "hostile.py"
n=$(find hostile -type f | wc -l)
mkdir store/plain store/coded
cp hostile/* store/plain/
for file in hostile/*; do
	name=${file##*/}
	/usr/bin/time -f '%M' -o memory timeout 120 deltafsctl encode --base store/base "$file" -o "store/coded/$name" >said 2>&1 ||
		fail "$name: encode: $(cat said)"
	[ -n "$DFS_SAN" ] || [ "$(tail -1 memory)" -lt $((600 << 10)) ] || fail "$name: $(tail -1 memory) KiB to encode"
	[ "$(stat -c %s "store/coded/$name")" -le "$(stat -c %s "$file")" ] || fail "$name: larger than it was"
done
start_daemon store mnt -o cache=32M
pid=$(daemon_pid)
for file in hostile/*; do
	name=${file##*/}
	timeout 60 cmp "mnt/plain/$name" "$file" || fail "$name: stored plain, shown otherwise"
	timeout 60 cmp "mnt/coded/$name" "$file" || fail "$name: coded, shown otherwise"
	kill -0 "$daemon" || fail "$name killed the daemon"
done
timeout 300 deltafsctl estimate -r store >said 2>&1 || fail "estimate: $(cat said)"
peak=$(awk '/VmHWM/ { print $2 }' "/proc/$pid/status")
[ -n "$DFS_SAN" ] || [ "$peak" -lt $((200 * 1024)) ] || fail "$peak KiB of memory"
echo "peak $peak KiB"
stop_daemon mnt
faults_fired "$n" 36
