#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# messages: what libfuse has to say is part of our one sentence; a mount that nobody can serve says so, and is none
# test: root
. "$(dirname "$0")/common.sh"
need strace

make_store --params 100000 --seed 16
for where in -f "-o log=$DFS_TMP/own.log"; do
	# An option that the kernel refuses.
	# shellcheck disable=SC2086
	deltafs $where -o context=nonsense store mnt 2>said && fail "mounted with a context, without SELinux"
	[ "$(wc -l <said)" = 1 ] || fail "more than a sentence: $(cat said)"
	grep -Eq "^deltafs: cannot mount at $DFS_TMP/mnt: mount failed: Invalid argument" said || fail "it said: $(cat said)"
	[ ! -s own.log ] || fail "and in the log once more: $(cat own.log)"
done
is_mounted mnt && fail "something is mounted"

# When it is mounted: the thread that takes requests cannot be started.
# A process under strace cannot be looked through for leaks.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
for ((k = 2; k < 20; k++)); do
	rm -f own.log trace
	: >said
	strace -f -qq -o trace -e trace=clone,clone3 -e inject=clone,clone3:error=EAGAIN:when=$k \
		deltafs -f -o ro,log="$DFS_TMP/own.log",threads=1 store mnt 2>said &
	tracer=$!
	settled() { ! kill -0 "$tracer" 2>/dev/null || grep -q 'is shown at' said; }
	retry 20 settled || fail "neither mounted nor ended: $(cat said)"
	grep -q INJECTED trace || fail "no thread number $k, and nothing was said"
	umount mnt 2>/dev/null || umount -l mnt 2>/dev/null
	wait "$tracer"
	grep -q 'no thread for' said && break
done
for said in own.log said; do
	[ "$(grep -c 'no thread for requests: Resource temporarily unavailable' $said)" = 1 ] || fail "it said: $(cat $said)"
	grep -q 'fuse: ' $said && fail "libfuse says: $(cat $said)"
done
is_mounted mnt && fail "mounted, and nobody serves it"
exit 0
