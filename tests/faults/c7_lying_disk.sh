#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C7: preads that return other counts than asked, nothing, or an error: EIO or the right bytes, never others.
# test: timeout=900 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"
need strace

make_store --params 300000 --hidden 256 --vocab 512 --seed 91
shown=mnt/tune/model.safetensors original=orig/tune/model.safetensors

# traced WORDS: one pass over the file with the daemon under strace, attached
# after the mount, so that the loader's own preads are left alone.
traced() {
	start_daemon store mnt
	local tracer
	attach -e trace=pread64 "$@"
	pages "$shown" "$original"
	stop_daemon mnt
	wait "$tracer" 2>/dev/null
}

lie() {
	traced -e inject="pread64:$1"
	[ "$wrong" = 0 ] || fail "$1: $wrong pages wrong"
	grep -q INJECTED trace && fired=$((fired + 1))
}

traced
[ "$refused$wrong" = 00 ] || fail "untouched: refused $refused, wrong $wrong"
n=$(grep -c "pread64(" trace)
[ "$n" -gt 5 ] || fail "only $n preads"
step=$((n / 12))
[ -z "$DFS_FULL" ] || step=1
[ "$step" -gt 0 ] || step=1
fired=0 tried=0
for what in retval=4096 retval=7 retval=0 error=EIO error=EINTR; do
	for ((k = 1; k <= n / 2; k += step)); do # later ones may not come: a failed read ends its pass
		tried=$((tried + 1))
		lie "$what:when=$k"
	done
	tried=$((tried + 1))
	lie "$what:when=3+4"
done
echo "preads $n, lied to $tried times"
faults_fired "$fired" $((tried * 3 / 4))
