#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lossy_thawed: promise 1, a file that gave up bits and is made plain again, by each way there is: written to, mapped, cut, lengthened, linked, decoded by hand, with its base removed, by a daemon that is killed meanwhile, then moved or exchanged: it comes to rest as the bytes that it had, and gives up no more.
# test: timeout=300
. "$(dirname "$0")/lossy_common.sh"

pair base tune layers=2
size=$(stat -c %s tune)
store_of base
start_daemon store mnt -o rw,quiet=0
policy set mnt codec=bitdelta
mkdir mnt/d mnt/other
policy set mnt/other codec=delta-dct
ways="written first cut longer hole mapped linked exchanged moved copied decoded decoded-written renamed-over cleared"
for way in $ways; do cp tune "mnt/d/$way" || fail "cp"; done
settle
for way in $ways; do is_lossy "mnt/d/$way" || fail "$(describe "mnt/d/$way")"; done
python3 - <<'PY' || fail "copy_file_range"
import os
a, b = os.open("mnt/d/copied", os.O_RDONLY), os.open("mnt/other/copy", os.O_RDWR | os.O_CREAT)
while os.copy_file_range(a, b, 1 << 30):
    pass
PY
settle
cp mnt/d/written want
! cmp -s want tune || fail "nothing was given up"
poke() { printf x | dd of="$1" bs=1 seek="$2" conv=notrunc status=none || fail "write to $1"; }

poke mnt/d/written $((size - 1))
poke mnt/d/first 2000
truncate -s $((size - 5)) mnt/d/cut && truncate -s $size mnt/d/cut
printf xyz >>mnt/d/longer
fallocate -p -o 8192 -l 8192 mnt/d/hole || fail "fallocate"
python3 - <<'PY' || fail "by a mapping"
import mmap
with open("mnt/d/mapped", "r+b") as f:
    view = mmap.mmap(f.fileno(), 0)
    view[70000:70004] = b"here"
    view.flush()
PY
ln mnt/d/linked mnt/d/link && rm mnt/d/link
poke mnt/d/exchanged 3000 && mv mnt/d/exchanged mnt/other/exchanged
mv mnt/d/moved mnt/other/moved && poke mnt/other/moved 3000
cmp mnt/other/copy want || fail "a copy is another"
poke mnt/other/copy $((size - 7))
decode mnt/d/decoded mnt/d/decoded-written
poke mnt/d/decoded-written 4000
cp tune mnt/d/new && mv mnt/d/new mnt/d/renamed-over
cp tune mnt/d/cleared
for file in d/written d/first d/cut d/longer d/hole d/mapped d/linked other/exchanged other/moved other/copy d/decoded d/decoded-written; do
	cp "mnt/$file" "want.${file//\//.}"
done
settle
deltafsctl encode mnt/d/decoded mnt/d/linked >said 2>&1 || fail "encode: $(cat said)"
check() {
	for file in d/written d/first d/cut d/longer d/hole d/mapped d/linked other/exchanged other/moved other/copy d/decoded d/decoded-written; do
		[ "$(told exact "mnt/$file")" = 1 ] || fail "$1, it gave up bits again: $(describe "mnt/$file")"
		cmp "mnt/$file" "want.${file//\//.}" || fail "$1: other bytes: $(describe "mnt/$file")"
	done
	cmp mnt/d/copied want || fail "$1: what was copied is another"
}
check "at rest"
n=$(grep -c "exactly, since it was compressed before" "$log")
[ "$n" -ge 9 ] || fail "why is told of $n only: $(cat "$log")"
for file in d/renamed-over d/cleared; do is_lossy "mnt/$file" || fail "new, and not by the policy: $(describe "mnt/$file")"; done

# A second time, and after a remount.
for file in written cut mapped; do poke "mnt/d/$file" 5000 && poke "want.d.$file" 5000; done
settle
check "at rest again"
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0
check "after a remount"

# Killed at any moment of a thaw: then it is the container it was, or plain and marked.
for i in 1 2 3; do
	cp tune "mnt/d/killed$i"
	settle
	is_lossy "mnt/d/killed$i" || fail "$(describe "mnt/d/killed$i")"
	python3 - "mnt/d/killed$i" "$i" <<'PY' &
import os, sys, time
try:
    fd = os.open(sys.argv[1], os.O_RDWR)
    os.pwrite(fd, b"x", 90000)
    if int(sys.argv[2]) % 2:
        os.fsync(fd)
    time.sleep(30)
except OSError:
    pass
PY
	writer=$!
	sleep "0.0$((i * 2))"
	kill -9 "$daemon"
	wait "$daemon" 2>/dev/null
	umount -l mnt 2>/dev/null || fusermount3 -uz mnt
	kill $writer 2>/dev/null
	wait $writer 2>/dev/null
	start_daemon store mnt -o rw,quiet=0
	cp want edited && poke edited 90000
	settle
	cmp -s "mnt/d/killed$i" want || cmp -s "mnt/d/killed$i" edited || cmp -s "mnt/d/killed$i" tune || fail "killed $i: bytes that nobody wrote"
	! cmp -s "mnt/d/killed$i" tune || fail "killed $i: the original is back"
	is_lossy "mnt/d/killed$i" && cmp "mnt/d/killed$i" want || [ "$(told exact "mnt/d/killed$i")" = 1 ] || fail "killed $i: $(describe "mnt/d/killed$i")"
done

# Its base is taken away: what it was decoded to is what it is from then on.
stop_daemon mnt
cp tune store/d/alone
(cd store && encode --codec bitdelta d/alone) || exit 1
id=$(deltafsctl base list --json store | of_json "o['bases'][0]['id']") || fail "base list"
deltafsctl base remove --thaw store "$id" >said 2>&1 || fail "base remove: $(cat said)"
deltafsctl base add store store/base >said 2>&1 || fail "base add: $(cat said)"
start_daemon store mnt -o rw,quiet=0
cmp mnt/d/alone want || fail "thawed with its base: other bytes"
poke mnt/d/alone 6000 && poke want 6000
settle
[ "$(told exact mnt/d/alone)" = 1 ] && cmp mnt/d/alone want || fail "thawed with its base, it gave up bits again: $(describe mnt/d/alone)"
stop_daemon mnt
