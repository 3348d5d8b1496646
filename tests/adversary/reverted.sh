#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# reverted: promises 1 and 4, an original comes back whole, once, and to its own name: with many who revert, accept, write, rename and remove at once, while others are coded; and what status counts as kept is what is there.
# test: timeout=300
. "$(dirname "$0")/common.sh"
. "$ADVERSARY/honest_common.sh"

small_pair
start_daemon store mnt -o rw,quiet=0
mkdir mnt/d
policy mnt/d codec=bitdelta keep=manual
cp "$tune" mnt/d/f && settle && lossy mnt/d/f && cp mnt/d/f shown && rm mnt/d/f

# agree, counted WHAT: status, the attributes and the disk agree, once it is at rest.
agree() {
	local kept files=0 file
	kept=$(find store/.deltafs/kept -type f -not -name '*.record' | wc -l)
	for file in mnt/d/*; do [ -z "$(told kept "$file")" ] || files=$((files + 1)); done
	[ "$kept" = $files ] && [ "$(find store/.deltafs/kept -type f | wc -l)" = $((2 * kept)) ] &&
		told status mnt | python3 -c 'import json, sys
k, n = json.load(sys.stdin)["kept"], int(sys.argv[1])
assert k == {"files": n, "bytes": n * int(sys.argv[2]), "manual": n}, k' "$kept" "$(stat -c %s "$tune")" 2>counts
}
counted() { retry 40 agree || fail "$1: $(told status mnt | python3 -c 'import json, sys; print(json.load(sys.stdin)["kept"])'), and there are $(ls store/.deltafs/kept)"; }

for i in 1 2 3 4 5 6; do cp "$tune" mnt/d/b$i; done
timeout -s KILL 240 python3 "$ADVERSARY/reverted.py" mnt/d "$tune" shown 6 >raced 2>&1 || fail "$(cat raced): $(tail -3 "$log")"
cat raced
for what in reverted accepted read; do grep -q "'$what'" raced || fail "nothing was ever $what: $(cat raced)"; done
settle
counted "after the race"

# What is kept still is what was written, each file its own.
for file in mnt/d/*; do
	[ -n "$(told kept "$file")" ] || continue
	deltafsctl revert --yes "$file" >said 2>&1 || fail "revert $file: $(cat said)"
	cmp "$file" "$tune" || fail "$file reverted to other bytes"
done
counted "after all was reverted"

# By its name in the store, by a symbolic link, and by a name that is another file by then.
rm -f mnt/d/*
for i in 1 2 3; do
	cp "$tune" was.$i && printf $i | dd of=was.$i bs=1 seek=90000 conv=notrunc status=none
	cp was.$i mnt/d/.tmp && mv mnt/d/.tmp mnt/d/$i
done
settle
counted "three"
for i in 1 2 3; do lossy mnt/d/$i was.$i; done
ln -s 1 mnt/d/link
deltafsctl revert store/d/2 mnt/d/link >said 2>&1 || fail "revert: $(cat said)"
cmp mnt/d/1 was.1 && cmp mnt/d/2 was.2 && [ -L mnt/d/link ] || fail "each got another's original"
mv mnt/d/3 mnt/d/4 && cp was.1 mnt/d/3 && settle
deltafsctl revert mnt/d/4 >said 2>&1 || fail "revert: $(cat said)"
cmp mnt/d/4 was.3 || fail "it got the original of who has its old name"
rm mnt/d/link && counted "in the end"
still_alive
stop_daemon mnt
fsck.deltafs -f store >said 2>&1 || fail "fsck: $(cat said)"
