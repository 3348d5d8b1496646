#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C6: fsync fails: in ingest it is dropped, the plain file stays, and that fsync is never tried again; a user sees EIO.
# test: timeout=300 root nosan
. "$(dirname "$0")/common.sh"
need strace

make_base --params 300000 --hidden 256 --vocab 512 --seed 291
fired=0

settled() { grep -Eq "(stays as it is|later|compressed to)" "$log"; }

# No fsync of a descriptor whose fsync failed, until it is closed.
no_retry() {
	awk '/^[0-9]+ +(fsync|fdatasync)\(/ { split($0, p, /[()]/); fd = p[2]
			if (fd in failed) { print; bad = 1 }
			if (/INJECTED/) failed[fd] = 1 }
		/ close\(/ { split($0, p, /[()]/); delete failed[p[2]] }
		END { exit bad }' trace || fail "$1: tried again: $(cat trace)"
}

# in_ingest CALL ERROR K
in_ingest() {
	local what="$1 number $3: $2" name=$1.$2.$3
	start_rw
	exec 9>"mnt/$name"
	cat "$original" >&9 && sync "mnt/$name" mnt && promise "$original" "$name"
	attach -e trace=fsync,fdatasync,close,renameat,pwrite64,ftruncate,fsetxattr,fchmod -e inject="$1:error=$2:when=$3"
	exec 9>&-
	retry 30 settled || fail "$what: neither compressed nor given up"
	promises_hold "$what"
	is_tidy "$what"
	kill "$tracer"
	wait "$tracer" 2>/dev/null
	if grep -q INJECTED trace; then
		fired=$((fired + 1))
		no_retry "$what"
		grep -q 'renameat.*= 0' trace || ! is_coded "$name" || fail "$what: compressed all the same"
	fi
	stop_daemon mnt
	every_container_verifies "$what"
	start_rw
	promises_hold "$what, mounted again"
	becomes_coded "$name"
	stop_daemon mnt
}

for k in $(seq "$(full 6 3)"); do in_ingest fsync EIO "$k"; done
in_ingest fdatasync EIO 1
in_ingest pwrite64 EIO "$((RANDOM % 10 + 1))"
in_ingest pwrite64 ENOSPC "$((RANDOM % 10 + 1))"
if [ -n "$DFS_FULL" ]; then
	for k in $(seq 16); do in_ingest pwrite64 EIO "$k"; done
	in_ingest fsetxattr ENOSPC 1
	in_ingest fchmod EIO 1
	in_ingest renameat EIO 1
fi

# A user's own.
start_rw noingest
for call in fsync fdatasync; do
	cp "$original" mnt/own
	attach -e trace=fsync,fdatasync,close -e inject="$call:error=EIO"
	expect_fail any 'Input/output error' python3 -c '
import os, sys
fd = os.open("mnt/own", os.O_RDWR)
os.pwrite(fd, b"x", 0)
getattr(os, sys.argv[1])(fd)' "$call"
	kill "$tracer"
	wait "$tracer" 2>/dev/null
	grep -q INJECTED trace || fail "$call: not called for a user's"
	fired=$((fired + 1))
	no_retry "a user's $call"
	dd if="$original" of=mnt/own bs=64K conv="$call,notrunc" status=none || fail "$call: fails for ever"
done
mkdir mnt/dir
attach -e trace=fsync,close -e inject=fsync:error=EIO
expect_fail any 'Input/output error' python3 -c 'import os; os.fsync(os.open("mnt/dir", os.O_RDONLY))'
kill "$tracer"
wait "$tracer" 2>/dev/null
grep -q INJECTED trace || fail "fsync: not called for a user's directory"
no_retry "a directory's fsync"
sync mnt/dir || fail "fsync of a directory: fails for ever"
cmp mnt/own "$original" || fail "other bytes"
stop_daemon mnt
faults_fired "$fired" 6
