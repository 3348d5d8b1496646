#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# in_place: promise 2: a file of the store is rewritten in place, its size and mtime kept, now plain, now a container; who opens it then is shown no mix.
#
# Who has it open already may be: only ctime tells such a file from the old one,
# and a chmod or a new link (a base's pin) changes that as well, which must not
# take the file from its readers. deltafs(7) says so.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
head -c 600000 orig/tune/model.safetensors >v1
head -c 600000 orig/base/model.safetensors >v2
forge wrap v1 c1
size=$(stat -c %s c1)
# Plain versions of the container's size, so that the inode never changes its size.
head -c "$size" orig/base/model.safetensors >p1
head -c "$size" /dev/urandom >p2
cp p1 store/file && touch -d '2026-01-01' store/file stamp
start_daemon store mnt
hammer_start 6 mnt/file p1 p2 v1
end=$((SECONDS + 6)) n=0
while [ $SECONDS -lt $end ]; do
	for next in p2 c1 p1; do
		cat $next | dd of=store/file conv=notrunc bs=1M iflag=fullblock status=none
		touch -r stamp store/file
		sleep 0.3
		n=$((n + 1))
	done
done
wait "$hammer_pid" || fail "the readers died"
read -r right refused wrong <hammered
# Rewriting in place is not atomic: a pass may see a state of the store that was
# there for a moment. What must never show are a container's own bytes.
echo "$n rewrites; readers: $right right, $refused refused, $wrong in between"
[ "$right" -gt 20 ] || fail "too little was read"
cat c1 | dd of=store/file conv=notrunc bs=1M iflag=fullblock status=none
touch -r stamp store/file
settled() { cmp -s mnt/file v1; }
retry 5 settled || fail "the container does not show as its file"
cat p2 | dd of=store/file conv=notrunc bs=1M iflag=fullblock status=none
touch -r stamp store/file
settled() { cmp -s mnt/file p2; }
retry 5 settled || fail "the plain file does not show: the page cache kept another's bytes"

# An open file, page by page: old or new bytes, or refused; and never the old
# ones for who opens it now. With a new mtime: never the new ones.
rewrite() { dd if="$1" of=store/file conv=notrunc bs=1M status=none; }
pages_of() {
	python3 - "$@" <<'PY'
import os, sys
old, new = (open(name, "rb").read() for name in sys.argv[1:3])
kinds = set()
os.posix_fadvise(3, 0, 0, os.POSIX_FADV_DONTNEED)  # else the page cache keeps the old ones right
for at in range(0, len(old), 4096):
    try:
        got = os.pread(3, 4096, at)
    except OSError:
        kinds.add("refused")
        continue
    kinds.add("old" if got == old[at:at + 4096] else "new" if got == new[at:at + 4096] else "other")
print(*sorted(kinds))
PY
}
rewrite p1
touch -r stamp store/file
settled() { cmp -s mnt/file p1; }
retry 5 settled || fail "the file does not show"
exec 3<mnt/file
head -c 8192 <&3 >/dev/null
rewrite p2
touch -r stamp store/file
settled() { cmp -s mnt/file p2; }
retry 5 settled || fail "who opens it anew is shown the old bytes while it is open"
kinds=$(pages_of p1 p2)
echo "open meanwhile, mtime put back: $kinds"
case " $kinds " in *" other "*) fail "an open file shows bytes that never were in it" ;; esac
exec 3<&-
exec 3<mnt/file
head -c 8192 <&3 >/dev/null
rewrite p1
kinds=$(pages_of p2 p1)
echo "open meanwhile, mtime new: $kinds"
case " $kinds " in *" other "* | *" new "*) fail "an open file shows new bytes among its old ones" ;; esac
exec 3<&-
alive
stop_daemon mnt
