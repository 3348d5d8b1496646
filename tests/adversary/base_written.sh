#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# base_written: promise 6, a base cannot be lost through the mount: written to in place, mapped, cut, emptied, renamed over, removed, while its dependants are read without one refusal.
# test: timeout=180
. "$(dirname "$0")/common.sh"

given_pair
cp -a store given
# attack NAME PROGRAM: while the readers read, and after a remount.
attack() {
	rm -rf store && cp -a given store
	start_daemon store mnt -o rw,noingest,cache=1M
	hammer_start 5 mnt/tune/model.safetensors orig/tune/model.safetensors
	retry 10 test -s /proc/"$hammer_pid"/cmdline && sleep 1
	timeout 60 python3 - <<<"$2" || fail "$1: the base cannot be written to"
	hammer_end
	[ "$refused" = 0 ] || fail "$1: $refused reads were refused: $(tail -3 "$log")"
	[ "$right" -gt 10 ] || fail "$1: only $right reads: this proves nothing"
	stop_daemon mnt
	start_daemon store mnt
	cmp mnt/tune/model.safetensors orig/tune/model.safetensors || fail "$1: lost after a remount"
	stop_daemon mnt
}

attack "in place" '
import os, time
fd, end = os.open("mnt/base/model.safetensors", os.O_RDWR), time.monotonic() + 3
size, at = os.fstat(fd).st_size, 0
while time.monotonic() < end:
    at += os.pwrite(fd, os.urandom(1 << 16), at % (size - (1 << 16)))
    if at % (1 << 20) == 0:
        os.fsync(fd)
'
attack "mapped" '
import mmap, os, time
fd, end = os.open("mnt/base/model.safetensors", os.O_RDWR), time.monotonic() + 3
with mmap.mmap(fd, 0) as m:
    while time.monotonic() < end:
        for at in range(0, len(m) - 4096, 4096):
            m[at:at + 64] = os.urandom(64)
        m.flush()
'
attack "cut" 'import os; os.truncate("mnt/base/model.safetensors", 5000)'
attack "emptied" 'open("mnt/base/model.safetensors", "w").write("else")'
attack "grown, a hole" '
import os
fd = os.open("mnt/base/model.safetensors", os.O_RDWR)
os.ftruncate(fd, 1 << 24)
os.copy_file_range(fd, os.dup(fd), 1 << 20, 0, 1 << 20)
'
attack "replaced" '
import os
open("mnt/base/new", "wb").write(os.urandom(os.stat("mnt/base/model.safetensors").st_size))
os.rename("mnt/base/new", "mnt/base/model.safetensors")
'
attack "removed, open" '
import os, shutil
fd = os.open("mnt/base/model.safetensors", os.O_RDWR)
shutil.rmtree("mnt/base")
os.pwrite(fd, bytes(1 << 20), 0)
'
attack "linked and written" '
import os
os.link("mnt/base/model.safetensors", "mnt/other")
os.unlink("mnt/base/model.safetensors")
open("mnt/other", "r+b").write(os.urandom(1 << 20))
'
