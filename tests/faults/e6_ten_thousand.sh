#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E6: 10,000 containers: listed, found and read with 1024 descriptors; few of them stay open.
# test: timeout=600 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"

make_store --params 2000 --hidden 32 --vocab 64 --seed 61
coded=store/tune/model.safetensors
for ((d = 0; d < 100; d++)); do
	mkdir -p "store/many/$d"
	for ((f = 0; f < 100; f++)); do echo "store/many/$d/$f.safetensors"; done
done | xargs -n 200 sh -c 'for to; do cp --preserve=xattr '"$coded"' "$to"; done' sh
DFS_WRAP="prlimit --nofile=1024" start_daemon store mnt
pid=$(daemon_pid)

size=$(stat -c %s orig/tune/model.safetensors)
[ "$(find mnt/many -type f -size "${size}c" | wc -l)" = 10000 ] || fail "not all 10,000 show their size"
ls -lR mnt/many >/dev/null || fail "ls -lR"
start=$(date +%s%N)
ls -lR mnt/many >/dev/null
took=$((($(date +%s%N) - start) / 1000000))
[ "$took" -lt 10000 ] || fail "ls -lR took $took ms warm, ten times the second it may take"
want=$(sha256sum <orig/tune/model.safetensors)
[ "$(find mnt/many -type f -print0 | xargs -0 cat | sha256sum)" = \
	"$(for ((i = 0; i < 10000; i++)); do cat orig/tune/model.safetensors; done | sha256sum)" ] ||
	fail "the contents differ (one file is $want)"
open=$(find "/proc/$pid/fd" | wc -l)
[ "$open" -lt 200 ] || fail "$open descriptors stay open"

# A listing whose names and inodes are charged to a memory cgroup, which then takes them back.
memory() { awk '/VmRSS/ { print $2 }' "/proc/$pid/status"; }
nodes() { getfattr --absolute-names --only-values -n user.deltafs.status mnt | sed 's/.*"nodes":\([0-9]*\).*/\1/'; }
group=/sys/fs/cgroup/memory/deltafs-e6-$$ file=memory.force_empty word=0
[ -d /sys/fs/cgroup/memory ] || { group=/sys/fs/cgroup/deltafs-e6-$$ file=memory.reclaim word=1G; }
if [ "$(id -u)" = 0 ] && mkdir "$group" 2>/dev/null; then
	at_end "retry 20 rmdir $group"
	stop_daemon mnt
	DFS_WRAP="prlimit --nofile=1024" start_daemon store mnt
	pid=$(daemon_pid) before=$(memory)
	sh -c "echo \$\$ >$group/cgroup.procs && exec ls -lR mnt/many" >/dev/null || fail "ls -lR in a cgroup"
	listed=$(memory)
	[ "$(nodes)" -gt 10000 ] || fail "only $(nodes) nodes"
	forgets() { echo $word >"$group/$file" 2>/dev/null; [ "$(nodes)" -lt 2000 ]; }
	if retry 20 forgets; then
		falls() { [ "$(memory)" -lt $((before + (listed - before) * 3 / 4)) ]; }
		retry 10 falls || fail "RSS: $before KiB before, $listed listed, $(memory) after $(nodes) nodes are left"
		echo "RSS: $before KiB before, $listed listed, $(memory) once forgotten"
	fi
fi
echo "ls -lR warm: $took ms; $open descriptors"
stop_daemon mnt
faults_fired 10000 # that many files
