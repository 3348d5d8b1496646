#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lost_write: a write that the disk says it took, and did not: what was coded is read before it takes the file's place, and the file stays.
# test: nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
need strace
learn_magic

make_pair --params 300000 --hidden 128 --vocab 512 --seed 56 p >/dev/null
mkdir S
cp -r p/base S/
run deltafsctl base add S S/base
plain=p/tune/model.safetensors
refused=0

# The k-th write loses its first 16 bytes. The first one is the lock's, and shorter.
for ((k = 2; ; k++)); do
	rm -f S/x trace
	cp $plain S/x
	status=0
	strace -f -o trace -e trace=pwrite64 -e inject=pwrite64:retval=16:when=$k \
		deltafsctl encode --threads 1 S/x >said 2>&1 || status=$?
	grep -q INJECTED trace || break
	clean S
	if is_container S/x; then
		run deltafsctl verify S/x
		run deltafsctl decode S/x -o back
		same back $plain
	else
		same S/x $plain
		[ $status = 1 ] && grep -q 'S/x\|x: ' said || fail "write $k: exit status $status: $(cat said)"
		refused=$((refused + 1))
	fi
done
[ $refused -ge 3 ] || fail "of $k writes that were lost $refused were found out"
echo "$refused of $((k - 2)) lost writes were found out"
