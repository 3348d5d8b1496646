#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# compressing: a fine-tune that is copied in becomes small, and nobody notices: not stat, not who has it open or mapped
# test: timeout=300
. "$(dirname "$0")/common.sh"

"$DFS_BUILD/tests/tools/make_pair" --params 1000000 --seed 12 orig >/dev/null || fail "make_pair"
mkdir -p store mnt
cp -r orig/base store/
deltafsctl base add store store/base >/dev/null || fail "base add"
start_daemon store mnt -o rw,quiet=1
plain=$(stat -c %s orig/tune/model.safetensors)

small() { [ "$(stat -c %s "store/$1")" -lt $((plain / 2)) ]; }
looks() { stat -c '%n %i %s %y %z %h %a %u %g' "$1"; }

mkdir mnt/tune
cp orig/tune/model.safetensors mnt/tune/model.safetensors
chmod 640 mnt/tune/model.safetensors
setfattr -n user.note -v kept mnt/tune/model.safetensors 2>/dev/null || skip "no extended attributes here"
exec 3<mnt/tune/model.safetensors
before=$(looks mnt/tune/model.safetensors)
python3 - <<'PY' &
import mmap, os, time
shown = os.open("mnt/tune/model.safetensors", os.O_RDONLY)
view = mmap.mmap(shown, 0, prot=mmap.PROT_READ)
want = open("orig/tune/model.safetensors", "rb").read()
view[:4096]
while not os.path.exists("compressed"):
    assert os.pread(shown, len(want), 0) == want
    time.sleep(.05)
assert view[:] == want and os.pread(shown, len(want), 0) == want
PY
reader=$!
retry 200 small tune/model.safetensors
small tune/model.safetensors || fail "not compressed: $(ls -l store/tune), $(cat "$log")"
touch compressed
wait $reader || fail "a reader saw other bytes"
[ "$(looks mnt/tune/model.safetensors)" = "$before" ] || fail "it was $before, and is $(looks mnt/tune/model.safetensors)"
[ "$(getfattr --only-values -n user.note mnt/tune/model.safetensors)" = kept ] || fail "an attribute"
cmp orig/tune/model.safetensors mnt/tune/model.safetensors || fail "bytes"
cmp orig/tune/model.safetensors /dev/fd/3 || fail "an open handle"
none_deleted() { ! ls -l "/proc/$(daemon_pid)/fd" 2>/dev/null | grep -q deleted; }
# The name leads to the container before its directory is synced, and the plain file is closed after that.
retry 30 none_deleted || fail "the plain file is still open: its room is not back"
exec 3<&-
[ "$(told state mnt/tune/model.safetensors)" = container ] || fail "state"
[ $(($(stat -c %b mnt/tune/model.safetensors) * 512)) -lt $((plain / 2)) ] || fail "du does not see it"
[ -z "$(ls store/.deltafs/tmp)" ] || fail "left behind: $(ls store/.deltafs/tmp)"

# New files get numbers of their own, though the store's file system gives the old one away.
for i in $(seq 50); do : >mnt/new.$i; done
[ -z "$(stat -c %i mnt/new.* mnt/tune/* mnt/base/* | sort | uniq -d)" ] || fail "two files show one number"

# An unfinished name waits for its rename; what is no model stays.
cp orig/tune/model.safetensors mnt/tune/.other.AbCdEf
seq 100000 >mnt/tune/text
head -c 100000 orig/tune/model.safetensors >mnt/tune/cut.safetensors
sleep 3
! small tune/.other.AbCdEf || fail "an unfinished file was compressed"
mv mnt/tune/.other.AbCdEf mnt/tune/other
retry 200 small tune/other
small tune/other && cmp orig/tune/model.safetensors mnt/tune/other || fail "after the rename"
seq 100000 | cmp - store/tune/text || fail "text"
head -c 100000 orig/tune/model.safetensors | cmp - store/tune/cut.safetensors || fail "cut.safetensors"

# Written again, it is plain, and then small again; work that waits survives the daemon.
printf 'x' | dd of=mnt/tune/other bs=1 seek=$((plain - 1)) conv=notrunc 2>/dev/null
! small tune/other || fail "it was written to"
cp orig/tune/model.safetensors changed && printf 'x' | dd of=changed bs=1 seek=$((plain - 1)) conv=notrunc 2>/dev/null
stop_daemon mnt
start_daemon store mnt -o rw,quiet=1
retry 200 small tune/other
small tune/other && cmp changed mnt/tune/other || fail "after a remount"

# A base that goes or changes leaves its dependants as they are.
rm -r mnt/base
cmp changed mnt/tune/other && cmp orig/tune/model.safetensors mnt/tune/model.safetensors || fail "the base was removed"
stop_daemon mnt
deltafsctl verify -r store >/dev/null || fail "verify"

# With a file open for writing nothing happens to it; noingest: nothing at all.
start_daemon store mnt -o rw,quiet=1
exec 3<>mnt/held
cat orig/tune/model.safetensors >&3
dd if=orig/tune/model.safetensors of=mnt/held bs=4096 count=1 conv=notrunc status=none
sleep 3
! small held || fail "compressed under its writer"
! grep 'held: ' "$log" || fail "looked at when the first of two writers closed it"
exec 4<mnt/held
exec 3>&-
retry 200 small held
small held || fail "not when its writer closed it, and a reader did not: $(cat "$log")"
exec 4<&-
stop_daemon mnt
# Without writeback the kernel has no times of its own, and shows what the daemon says: also of the directory.
start_daemon store mnt -o rw,quiet=1,nowriteback
mkdir mnt/quiet
cp orig/tune/model.safetensors mnt/quiet/model.safetensors
before=$(looks mnt/quiet; looks mnt/quiet/model.safetensors)
retry 200 small quiet/model.safetensors
small quiet/model.safetensors || fail "nowriteback: not compressed: $(cat "$log")"
sleep 1.1	# as long as the kernel believes what it was told
[ "$(looks mnt/quiet; looks mnt/quiet/model.safetensors)" = "$before" ] ||
	fail "it was $before, and is $(looks mnt/quiet; looks mnt/quiet/model.safetensors)"
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0,noingest
cp orig/tune/model.safetensors mnt/never
sleep 2
! small never || fail "noingest"
stop_daemon mnt
