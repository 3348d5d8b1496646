#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C7: preads that return other counts than asked, nothing, or an error: EIO or the right bytes, never others.
# test: timeout=900 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
need strace

make_store --params 300000 --hidden 256 --vocab 512 --seed 91
shown=mnt/tune/model.safetensors original=orig/tune/model.safetensors

calls() { grep -Ec 'pread64\(' trace || true; }

# lie INJECTION: one pass over the file with preads that lie.
lie() {
	DFS_WRAP="strace -f -qq -o trace -e trace=pread64 -e inject=pread64:$1" start_daemon store mnt 2>/dev/null
	pages "$shown" "$original"
	stop_daemon mnt
	[ "$wrong" = 0 ] || fail "$1: $wrong pages wrong"
	grep -q INJECTED trace && fired=$((fired + 1))
}

DFS_WRAP="strace -f -qq -o trace -e trace=pread64" start_daemon store mnt
pages "$shown" "$original"
stop_daemon mnt
[ "$refused$wrong" = 00 ] || fail "untouched: refused $refused, wrong $wrong"
n=$(calls)
[ "$n" -gt 5 ] || fail "only $n preads"
step=$((n / 6))
[ -z "$DFS_FULL" ] || step=1
[ "$step" -gt 0 ] || step=1
fired=0 tried=0
for what in retval=4096 retval=7 retval=0 error=EIO error=EINTR; do
	for ((k = 1; k <= n; k += step)); do
		tried=$((tried + 1))
		lie "$what:when=$k"
	done
	tried=$((tried + 1))
	lie "$what:when=3+4"
done
[ "$fired" -ge $((tried * 3 / 4)) ] || fail "only $fired of $tried faults fired"
echo "preads $n, faults $tried, fired $fired"
