#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A1, of what is copied within the mount: kill -9 at every step of a copy in pieces, of one that ends early, and of its close: what is there is the beginning of what was copied, or all of it, and all of it once closed.
# test: timeout=3600 root nosan
. "$(dirname "$0")/common.sh"
need strace

make_base --params "$(full 1300000 300000)" --hidden 256 --vocab 512 --seed 421
start_rw
put "$original" f && becomes_coded f || fail "f"
stop_daemon mnt
all="openat openat2 pwrite64 ftruncate ioctl fsync renameat unlinkat fsetxattr fchmod fchown utimensat copy_file_range pread64 close"
declare -A calls=([whole]="openat copy_file_range fsetxattr fsync renameat" [part]="pwrite64 pread64 close")
[ -z "$DFS_FULL" ] || calls=([whole]=$all [part]=$all)
fired=0 tried=0

# act WHAT: prints when it is closed.
act() {
	python3 - "$1" <<'PY' 2>/dev/null
import os, sys
src, dst = os.open("mnt/f", os.O_RDONLY), os.open("mnt/copy", os.O_RDWR | os.O_CREAT, 0o644)
n, at = os.fstat(src).st_size, 0
end = n if sys.argv[1] == "whole" else n - 5000
while at < end:
    at += os.copy_file_range(src, dst, min(200000, end - at), at, at)
os.close(dst)
print("closed", end)
PY
}

# one WHAT CALL K: fails if nothing was killed.
one() {
	local what=$1 call=$2 k=$3 said size end
	start_rw noingest
	attach -e trace="$call" -e inject="$call:signal=SIGKILL:when=$k"
	said=$(act "$what")
	is_dead || umount mnt
	wait "$daemon" 2>/dev/null
	wait "$tracer" 2>/dev/null
	umount -l mnt 2>/dev/null
	tried=$((tried + 1))
	start_rw noingest
	promises_hold "$what, $call $k"
	size=$(stat -c %s mnt/copy 2>/dev/null || echo 0)
	end=${said#closed }
	[ -z "$said" ] || [ "$size" = "$end" ] || fail "$what, $call $k: $size of $end bytes that were closed"
	[ "$size" = 0 ] || cmp -n "$size" mnt/copy "$original" || fail "$what, $call $k: other bytes"
	is_tidy "$what, $call $k"
	rm -f mnt/copy
	stop_daemon mnt
	grep -q 'killed by SIGKILL' trace && fired=$((fired + 1))
}

for what in whole part; do
	for call in ${calls[$what]}; do
		for ((k = 1; k <= $(full 1000 1); k++)); do one "$what" "$call" "$k" || break; done
	done
done
every_container_verifies "in the end"
echo "kills $tried, fired $fired"
faults_fired "$fired" $((tried / 2))
