# SPDX-License-Identifier: GPL-2.0-or-later
# share: ./own_share COMMAND..., which runs it in a CPU group of its own, where
# there are groups. Sourced after test.sh.
#
# Threads that compress run when nobody else wants the CPU; beside other tests
# that may be never. In a group of their own they have its share.
for share in /sys/fs/cgroup/cpu /sys/fs/cgroup; do
	[ -e "$share/cpu.shares" ] || grep -qw cpu "$share/cgroup.subtree_control" 2>/dev/null || continue
	share=$(mktemp -d "$share/deltafs-test-XXXXXX" 2>/dev/null) || continue
	at_end "retry 10 rmdir $share 2>/dev/null"
	printf '#!/bin/sh\n{ echo $$ >%s/cgroup.procs; } 2>/dev/null\nexec "$@"\n' "$share" >own_share
	break
done
[ -e own_share ] || printf '#!/bin/sh\nexec "$@"\n' >own_share
chmod +x own_share
