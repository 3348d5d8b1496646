#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C1, of what is copied within the mount: a full disk is said by the call or by close, a copy needs the room of what is stored, and what could not be written shows as nothing at all.
# test: timeout=300 root
. "$(dirname "$0")/common.sh"
need mkfs.ext4

make_base --params 300000 --hidden 256 --vocab 512 --seed 431
store_on_disk 32M
cat >copy.py <<'PY'
import errno, os, sys, time
what, original = sys.argv[1], open(sys.argv[2], "rb").read()
n = len(original)
def full(call):
    try:
        call()
    except OSError as e:
        return e.errno == errno.ENOSPC
src, dst = os.open("mnt/f", os.O_RDONLY), os.open("mnt/copy", os.O_RDWR | os.O_CREAT, 0o644)
if what == "whole":
    assert os.copy_file_range(src, dst, n, 0, 0) == n
    assert os.pread(dst, n + 1, 0) == original
    # There is no room for its plain form.
    assert full(lambda: (os.pwrite(dst, b"x", 0), os.fsync(dst))), "written"
    try:
        os.close(dst)
    except OSError:
        pass
    sys.exit()
if what == "last":
    assert os.copy_file_range(src, dst, 5000, 0, 0) == 5000
    assert full(lambda: os.copy_file_range(src, dst, n, 5000, 5000)), "the last piece"
    assert os.fstat(dst).st_size == 5000 and os.pread(dst, n, 0) == original[:5000]
    os.close(dst)
    sys.exit()
assert os.copy_file_range(src, dst, n - 1, 0, 0) == n - 1
assert full(lambda: os.close(dst)), "closed"
with open("mnt/copy", "rb") as f:
    assert f.read() == b"", "something is shown"
PY
fired=0
for options in noingest noingest,nowriteback; do
	start_rw
	put "$original" f && becomes_coded f || fail "put"
	becomes_tidy() { nothing_in_tmp; }
	retry 10 becomes_tidy
	stop_daemon mnt
	stored=$(($(stat -c %s store/f) / 1024))
	start_rw "$options"
	try() {
		leave "$2"
		python3 copy.py "$1" "$original" || fail "$options: $1, $2 KiB"
		is_tidy "$options, $1"
		evict mnt/f
		promises_hold "$options, $1"
		fired=$((fired + 1)) # copy.py ends well only if the disk was full when it was to be
	}
	try last 64
	[ "$(stat -c %s store/copy)" = 5000 ] || fail "$options: stored are $(stat -c %s store/copy)"
	rm mnt/copy
	try early 64
	rm mnt/copy
	try whole $((stored + 100))
	[ "$(stat -c %s store/copy)" = "$(stat -c %s store/f)" ] || fail "$options: not copied as it is stored"
	stop_daemon mnt
	start_rw "$options"
	cmp mnt/copy "$original" || fail "$options: the copy, after a write in vain"
	rm -f disk/filler mnt/copy
	python3 -c '
import os
src, dst = os.open("mnt/f", os.O_RDONLY), os.open("mnt/copy", os.O_RDWR | os.O_CREAT, 0o644)
while os.copy_file_range(src, dst, 1 << 20):
    pass' && cmp mnt/copy "$original" || fail "$options: with room"
	rm mnt/f mnt/copy manifest
	stop_daemon mnt
	every_container_verifies "$options"
	is_tidy "$options"
done
faults_fired "$fired" 6
