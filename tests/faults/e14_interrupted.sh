#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E14: readers killed in the middle, 1000 times: no request, descriptor or memory leaks.
# test: timeout=600 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"

# Cold it takes a reader several times what it is given.
make_store --params 24000000 --hidden 1024 --vocab 2048 --seed 151
start_daemon store mnt -o cache=32M
pid=$(daemon_pid)
shown=mnt/tune/model.safetensors
cat "$shown" >/dev/null
descriptors() { find "/proc/$pid/fd" | wc -l; }
memory() { awk '/VmRSS/ { print $2 }' "/proc/$pid/status"; }
evict "$shown"
before=$(descriptors)
killed=0
for ((i = 0; i < 1000; i++)); do
	evict "$shown"
	timeout -s KILL "0.00$((i % 8 + 1))" cat "$shown" >/dev/null 2>&1
	[ $? != 137 ] || killed=$((killed + 1))
	head -c1 "$shown" >/dev/null
done
dev=$(stat -c %d mnt)
waiting=/sys/fs/fuse/connections/$((dev & 0xff | dev >> 12 & 0xfff00))/waiting
# Read ahead for the last reader, and its release, are under way for a moment still.
drained() { [ ! -r "$waiting" ] || [ "$(cat "$waiting")" = 0 ]; }
retry 10 drained || fail "$(cat "$waiting") requests wait for ever"
few() { [ "$(descriptors)" -le $((before + 4)) ]; }
retry 10 few || fail "$before descriptors became $(descriptors)"
[ "$(memory)" -lt $(((32 + 64) * 1024)) ] || fail "$(memory) KiB of memory"
cmp "$shown" orig/tune/model.safetensors || fail "wrong bytes afterwards"
echo "descriptors $before -> $(descriptors), $(memory) KiB"
stop_daemon mnt
faults_fired "$killed" 301
