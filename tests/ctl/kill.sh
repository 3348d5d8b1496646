#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kill: kill -9 at any system call of encode and decode in place leaves the old file or the new one.
# test: timeout=1800 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
need strace
learn_magic

# Every step of every call with --full, else a sample of each.
if [ -n "$DFS_FULL" ]; then stride=1; else stride=9; fi

make_pair --params 300000 --hidden 128 --vocab 512 --seed 51 p
mkdir S
cp -r p/base S/
run deltafsctl base add S S/base
plain=p/tune/model.safetensors
run deltafsctl encode --base S/base $plain -o coded
killed=0

# settle WHAT: whatever is there is whole, decodes to the file, and nothing is left after the next run.
settle() {
	if is_container S/x; then
		run deltafsctl decode --base p/base S/x -o back
		same back $plain
	else
		same S/x $plain
	fi
	run deltafsctl "$1" S/x
	clean S
	[ "$(find S -type f | grep -vc '^S/\.deltafs/')" = 2 ] || fail "more files than there were: $(find S)"
}

# killing CALL K COMMAND: run it until its K-th CALL. What bash has to say about that goes nowhere.
killing() {
	{ strace -f -o /dev/null -e trace="$1" -e inject="$1:signal=SIGKILL:when=$2" \
		deltafsctl "$3" --threads 1 S/x >said 2>&1; } 2>/dev/null
}

# at_each COMMAND START CALL...: kill COMMAND at the k-th of each call, until there is no k-th.
at_each() {
	local command=$1 start=$2 call k status
	shift 2
	for call; do
		for ((k = 1; ; k += stride)); do
			rm -f S/x
			cp "$start" S/x
			status=0
			killing "$call" $k "$command" || status=$?
			[ $status != 0 ] || break
			[ $status = 137 ] || fail "$command, $call $k: exit status $status: $(cat said)"
			killed=$((killed + 1))
			settle "$command"
		done
	done
}

calls="openat openat2 pread64 pwrite64 write ftruncate fallocate fsync fdatasync renameat2 renameat rename linkat unlinkat
	fsetxattr fchmod fchown utimensat flock close fstat newfstatat clone3 futex fcntl"
# shellcheck disable=SC2086
at_each encode $plain $calls
encoded=$killed
# shellcheck disable=SC2086
at_each decode coded $calls
echo "killed $encoded times while encoding, $((killed - encoded)) while decoding"
[ "$encoded" -ge 20 ] && [ "$((killed - encoded))" -ge 15 ] || fail "too few of the kills happened: the test proves nothing"

# Killed, and the one that clears up killed as well.
for ((k = 1; k < 40; k += stride)); do
	rm -f S/x
	cp $plain S/x
	killing pwrite64 3 encode && fail "not killed"
	killing unlinkat,openat,openat2 $k encode
	settle encode
done
