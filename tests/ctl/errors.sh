#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# errors: any call that fails during encode or decode in place leaves the file as it was, and is not tried again.
# test: timeout=900 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
need strace
learn_magic

if [ -n "$DFS_FULL" ]; then stride=1; else stride=5; fi
make_pair --params 300000 --hidden 128 --vocab 512 --seed 55 p
mkdir S
cp -r p/base S/
run deltafsctl base add S S/base
plain=p/tune/model.safetensors
run deltafsctl encode --base S/base $plain -o coded
fired=0

# failing COMMAND START CALL ERROR: the k-th CALL fails with ERROR, for each k there is.
failing() {
	local command=$1 start=$2 call=$3 error=$4 k status
	for ((k = 1; ; k += stride)); do
		rm -f S/x trace
		cp "$start" S/x
		status=0
		strace -f -o trace -e trace="$call" -e inject="$call:$error:when=$k" \
			deltafsctl "$command" --threads 1 S/x >said 2>&1 || status=$?
		grep -q INJECTED trace || break
		[ $status != 127 ] || continue	# the dynamic loader's own
		fired=$((fired + 1))
		clean S
		# A failure that was told leaves the old file; one that did not matter, the new.
		if [ $status != 0 ]; then
			[ $status = 1 ] || fail "$command, $call $k $error: exit status $status: $(cat said)"
			[ -s said ] || fail "$command, $call $k $error: failed without a word"
		fi
		if is_container S/x; then
			run deltafsctl verify S/x
			run deltafsctl decode S/x -o back
			same back $plain
		else
			same S/x $plain
		fi
		case $call in
		fsync | fdatasync)
			[ $status = 1 ] || fail "$command: $call $k failed, and nobody was told"
			grep -A100 INJECTED trace | tail -n +2 | grep -q "$call(" && fail "$command: after a failed $call, another"
			;;
		esac
		[ $call != renameat2 ] && [ $call != renameat ] || [ $status = 1 ] || fail "$command: $call failed, and nobody was told"
	done
}

for command in "encode $plain" "decode coded"; do
	for what in "fsync error=EIO" "fdatasync error=EIO" "pwrite64 error=EIO" "write error=ENOSPC" "pread64 error=EIO" \
		"pread64 error=EINTR" "renameat error=EIO" "renameat2 error=EIO" "openat error=EMFILE" "openat2 error=EMFILE" \
		"fallocate error=ENOSPC" "fchmod error=EPERM" "fstat error=EIO"; do
		# shellcheck disable=SC2086
		failing $command $what
	done
done
echo "$fired calls failed"
[ $fired -ge 20 ] || fail "only $fired calls failed: the test proves nothing"

# A disk that says it has read what it has not: found out before anything is replaced.
for ((k = 1; ; k += stride)); do
	rm -f S/x trace
	cp $plain S/x
	strace -f -o trace -e trace=pread64 -e inject=pread64:retval=4096:when=$k deltafsctl encode --threads 1 S/x >said 2>&1
	grep -q INJECTED trace || break
	clean S
	if is_container S/x; then
		run deltafsctl decode S/x -o back
		same back $plain
	else
		same S/x $plain
	fi
done
[ "$k" -gt 1 ] || fail "no read was falsified"
