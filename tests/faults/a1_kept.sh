#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A1, of originals that are kept: kill -9 at every step of a file that gives up bits, of a write to it, of accept and of revert: the original is its file or is kept, until it was let go of.
# test: timeout=3600 root nosan
. "$(dirname "$0")/common.sh"
need strace

make_base --params "$(full 1300000 300000)" --hidden 256 --vocab 512 --seed 431
start_rw
mkdir mnt/k
deltafsctl policy set mnt/k codec=bitdelta keep=manual >/dev/null || fail "policy set"
stop_daemon mnt
all="openat openat2 write pwrite64 fsync fdatasync linkat renameat renameat2 unlinkat fsetxattr fremovexattr fchmod fchown utimensat"
declare -A calls=(
	[keep]="openat2 write fsync linkat renameat" [accept]="unlinkat fsync" [revert]="fsetxattr fsync renameat unlinkat"
	[write]="openat2 write fsync renameat pwrite64"
)
[ -z "$DFS_FULL" ] || calls=([keep]=$all [accept]=$all [revert]=$all [write]=$all)
fired=0 tried=0

told() { getfattr --absolute-names --only-values -n "user.deltafs.$1" mnt/k/f 2>/dev/null; }
is_lossy() { [ "$(told exact)" = 0 ]; }
is_lossy_or_dead() { is_lossy || is_dead; }
n_kept() { find store/.deltafs/kept -type f -not -name '*.record' | wc -l; }
n_in_kept() { find store/.deltafs/kept -type f | wc -l; }
traced() { attach -e trace="$1" -e inject="$1:signal=SIGKILL:when=$2"; }

end_of_it() {
	is_dead || umount mnt
	wait "$daemon" 2>/dev/null
	wait "$tracer" 2>/dev/null
	umount -l mnt 2>/dev/null
}

# Neither of both is never: WHAT says which steps there were.
is_whole() {
	if [ "$1" = write ]; then
		[ "$(n_kept)" = 1 ] && [ "$(n_in_kept)" = 2 ] && [ "$(told kept)" = manual ] || fail "$2: the original went: $(ls -l store/.deltafs/kept)"
		cmp -s mnt/k/f lossy || cmp -s mnt/k/f written || fail "$2: bytes that nobody wrote"
	elif [ "$(told exact)" = 0 ]; then
		[ "$(n_kept)" = 1 ] && [ "$(told kept)" = manual ] || [ "$1" = accept ] ||
			fail "$2: bits are gone, and so is the original: $(ls -l store/.deltafs/kept)"
		[ "$(n_in_kept)" = 2 ] || [ "$(n_in_kept)" = 0 ] || fail "$2: left behind: $(ls -l store/.deltafs/kept)"
	else
		cmp mnt/k/f "$original" || fail "$2: the plain file has other bytes"
		[ "$(n_in_kept)" = 0 ] || fail "$2: left behind: $(ls -l store/.deltafs/kept)"
		[ "$(stat -c %h store/k/f)" = 1 ] || fail "$2: the file has $(stat -c %h store/k/f) names"
	fi
}

change() { printf x | timeout 20 dd of="$1" bs=1 seek=90000 conv=notrunc status=none; }

# one WHAT CALL K: fails if nothing was killed.
one() {
	local what=$1 call=$2 k=$3
	if [ "$what" = keep ]; then
		start_rw
		exec 9>mnt/k/f && cat "$original" >&9 && sync mnt/k/f mnt/k
		traced "$call" "$k"
		exec 9>&-
		retry 60 is_lossy_or_dead || fail "$what, $call $k: neither lossy nor dead: $(tail -3 "$log")"
	else
		start_rw
		cp "$original" mnt/k/f && retry 60 is_lossy || fail "$what: f is not lossy: $(tail -3 "$log")"
		cp mnt/k/f lossy && cp lossy written && change written || fail "$what: a copy of f"
		traced "$call" "$k"
		if [ "$what" = write ]; then change mnt/k/f; else timeout 20 deltafsctl "$what" mnt/k/f; fi >said 2>&1
		[ "$what" != write ] || timeout 20 sync mnt/k/f 2>>said
	fi
	end_of_it
	tried=$((tried + 1))
	start_rw noingest
	is_whole "$what" "$what, $call $k"
	is_tidy "$what, $call $k"
	if [ "$(n_kept)" = 1 ]; then
		deltafsctl revert --yes mnt/k/f >said 2>&1 || fail "$what, $call $k: revert: $(cat said)"
		cmp mnt/k/f "$original" || fail "$what, $call $k: reverted to other bytes"
	fi
	rm -f mnt/k/f
	stop_daemon mnt
	grep -q 'killed by SIGKILL' trace && fired=$((fired + 1))
}

for what in keep accept revert write; do
	for call in ${calls[$what]}; do
		for ((k = 1; k <= $(full 1000 2); k++)); do one "$what" "$call" "$k" || break; done
	done
done
# Where no link can be made no bits are given up.
for error in EPERM EOPNOTSUPP EMLINK; do
	start_rw "" "strace -f -qq -o trace -e trace=linkat -e inject=linkat:error=$error"
	cp "$original" mnt/k/f
	stays() { [ "$(told reason_word)" = keep ]; }
	retry 60 stays || fail "$error: the reason is '$(told reason)': $(tail -3 "$log")"
	cmp mnt/k/f "$original" && [ "$(told state)" = plain ] && [ "$(n_in_kept)" = 0 ] || fail "$error: $(told state) $(ls store/.deltafs/kept)"
	rm mnt/k/f
	stop_daemon mnt
	grep -q INJECTED trace && fired=$((fired + 1))
	tried=$((tried + 1))
done
every_container_verifies "in the end"
echo "kills $tried, fired $fired"
faults_fired "$fired" $((tried / 2))
