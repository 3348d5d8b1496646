# SPDX-License-Identifier: GPL-2.0-or-later
# memory: a memory cgroup, version 1 or 2, of little memory. Sourced after test.sh.
#
#	memory_group MIB	makes one, and ./join COMMAND... to run in it; else skipped
#	memory_pressed		how often it was at its limit
#	memory_killed		how many of its processes the kernel killed for it

memory_group() {
	local limit=memory.limit_in_bytes
	group=/sys/fs/cgroup/memory/deltafs-memory-$$
	[ -d /sys/fs/cgroup/memory ] || { group=/sys/fs/cgroup/deltafs-memory-$$ limit=memory.max; }
	mkdir "$group" 2>/dev/null || skip "no memory cgroup"
	at_end "for p in \$(cat $group/cgroup.procs); do kill \$p; done; retry 20 rmdir $group 2>/dev/null"
	echo $(($1 << 20)) >"$group/$limit" || fail "cannot limit memory"
	printf '#!/bin/sh\necho $$ >%s/cgroup.procs && exec "$@"\n' "$group" >join
	chmod +x join
}

memory_pressed() { cat "$group/memory.failcnt" 2>/dev/null || awk '$1 == "max" { print $2 }' "$group/memory.events"; }
memory_killed() { cat "$group"/memory.oom_control "$group"/memory.events 2>/dev/null | awk '$1 == "oom_kill" { n = $2 } END { print n + 0 }'; }
