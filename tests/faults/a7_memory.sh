#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A7: 64 readers in a memory cgroup of 256 MB: the daemon is not killed, and all is right.
# test: timeout=600 root nosan serial
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"

if [ -d /sys/fs/cgroup/memory ]; then
	group=/sys/fs/cgroup/memory/deltafs-a7-$$ limit=memory.limit_in_bytes
else
	group=/sys/fs/cgroup/deltafs-a7-$$ limit=memory.max
fi
mkdir "$group" || skip "no memory cgroup"
at_end "for p in \$(cat $group/cgroup.procs); do kill \$p; done; retry 20 rmdir $group"
echo $((256 << 20)) >"$group/$limit" || fail "cannot limit memory"

make_store --params 60000000 --hidden 1024 --vocab 4096 --seed 71
want=$(sha256sum <orig/tune/model.safetensors)
cat >join <<E2
#!/bin/sh
echo \$\$ >$group/cgroup.procs && exec "\$@"
E2
chmod +x join
DFS_WRAP=./join start_daemon store mnt -o cache=64M
evict store/tune/model.safetensors
for ((i = 0; i < 64; i++)); do echo mnt/tune/model.safetensors; done |
	xargs -P64 -n1 ./join sha256sum >sums || fail "a reader failed"
[ "$(awk '{ print $1 }' sums | sort | uniq -c | awk '{ print $1 }')" = 64 ] || fail "the sums differ"
[ "$(awk 'NR == 1 { print $1 "  -" }' sums)" = "$want" ] || fail "wrong bytes"
kill -0 "$daemon" || fail "the daemon was killed"
echo "peak $(awk '/VmHWM/ { print $2 }' "/proc/$(daemon_pid)/status") KiB"
if [ -e "$group/memory.max_usage_in_bytes" ]; then used=$(cat "$group/memory.max_usage_in_bytes"); else used=$(cat "$group/memory.peak"); fi
[ "$used" -gt $((128 << 20)) ] || fail "only $used bytes were used: no pressure"
stop_daemon mnt
