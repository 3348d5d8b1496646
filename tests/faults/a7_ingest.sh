#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A7: in a small memory cgroup ingest waits instead of having the daemon killed, says so, and goes on when there is memory.
# test: timeout=300 root nosan
. "$(dirname "$0")/common.sh"

if [ -d /sys/fs/cgroup/memory ]; then
	group=/sys/fs/cgroup/memory/deltafs-a7i-$$ limit=memory.limit_in_bytes
else
	group=/sys/fs/cgroup/deltafs-a7i-$$ limit=memory.max
fi
mkdir "$group" || skip "no memory cgroup"
at_end "for p in \$(cat $group/cgroup.procs); do kill -9 \$p; done 2>/dev/null; retry 20 rmdir $group 2>/dev/null"
limit_to() { echo $(($1 << 20)) >"$group/$limit" || fail "cannot limit memory"; }
printf '#!/bin/sh\necho $$ >%s/cgroup.procs && exec "$@"\n' "$group" >join
chmod +x join
held() { awk '/RssAnon/ { print $2 }' "/proc/$(daemon_pid)/status"; }

make_base --params 20000000 --hidden 1024 --vocab 4096 --seed 73
limit_to 64
start_rw cache=8M,threads=2 ./join
cp "$original" mnt/a
waits() { deltafsctl status mnt | grep -q 'a: waiting for memory; a larger cache= or memory limit'; }
retry 30 waits || fail "it does not say that it waits: $(deltafsctl status mnt)"
! is_coded a || fail "compressed in 64 MB"
cmp mnt/a "$original" || fail "bytes while it waits"
kill -0 "$daemon" || fail "the daemon was killed"
fired=1

limit_to 256
becomes_coded a 60
cmp mnt/a "$original" || fail "bytes"
peak=0
for i in 1 2 3 4; do cp "$original" mnt/b$i; done
for ((i = 0; i < 600; i++)); do
	now=$(held)
	[ "$now" -le "$peak" ] || peak=$now
	is_coded b4 && break
	sleep 0.05
done
becomes_coded b4
[ "$peak" -le $((192 << 10)) ] || fail "$peak KiB were held, of 256 MB"
stop_daemon mnt
every_container_verifies "in the end"
echo "held at most $peak KiB"
faults_fired "$fired"
