#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A7: 64 readers and one encode in a memory cgroup of 256 MB: the daemon is not killed, all is right, the file is compressed in the end.
# test: timeout=600 root nosan serial
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"
. "$DFS_SRC/tests/faults/memory.sh"

memory_group 256
make_store --params 60000000 --hidden 1024 --vocab 4096 --seed 71
original=orig/tune/model.safetensors
want=$(sha256sum <$original)
DFS_WRAP=./join start_daemon store mnt -o rw,quiet=0,cache=64M
evict store/tune/model.safetensors
cp $original mnt/new || fail "cp"
for ((i = 0; i < 64; i++)); do echo mnt/tune/model.safetensors; done |
	xargs -P64 -n1 ./join sha256sum >sums || fail "a reader failed"
[ "$(awk '{ print $1 }' sums | sort | uniq -c | awk '{ print $1 }')" = 64 ] || fail "the sums differ"
[ "$(awk 'NR == 1 { print $1 "  -" }' sums)" = "$want" ] || fail "wrong bytes"
kill -0 "$daemon" || fail "the daemon was killed"
deltafsctl wait --timeout 300 mnt >said 2>&1 || fail "wait: $(cat said)"
[ "$(stat -c %s store/new)" -lt $(($(stat -c %s $original) / 2)) ] || fail "not compressed: $(grep new "$log" | tail -3)"
evict mnt/new
./join cmp mnt/new $original || fail "what was compressed under pressure has other bytes"
kill -0 "$daemon" || fail "the daemon was killed"
[ "$(memory_killed)" = 0 ] || fail "the kernel killed $(memory_killed) processes"
echo "peak $(awk '/VmHWM/ { print $2 }' "/proc/$(daemon_pid)/status") KiB"
pressed=$(memory_pressed)
stop_daemon mnt
faults_fired "$pressed"
