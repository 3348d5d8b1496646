#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# two_file_systems: promise 1: files of one inode number on two file systems below a store are two files, to cmp and cp as well.
# test: timeout=120 root
. "$(dirname "$0")/common.sh"

given_pair
mkdir store/a store/b
mount -t tmpfs none store/a && mount -t tmpfs none store/b || skip "no tmpfs"
cp orig/tune/model.safetensors store/a/f && cp orig/base/model.safetensors store/b/f
ln store/a/f store/a/g
[ "$(stat -c %i store/a/f)" = "$(stat -c %i store/b/f)" ] || fail "two numbers: this proves nothing"
start_daemon store mnt
# GNU cmp and cp do not read what they take for one file.
cmp -s mnt/a/f mnt/b/f && fail "cmp takes two files for one"
[ "$(stat -c %i mnt/a/f)" != "$(stat -c %i mnt/b/f)" ] || fail "two files of one number"
[ "$(stat -c %i mnt/a/f)" = "$(stat -c %i mnt/a/g)" ] || fail "two names of one file show two numbers"
[ "$(find mnt -printf '%i\n' | sort | uniq -d | wc -l)" = 1 ] || fail "other numbers are the same: $(find mnt -printf '%i %p\n' | sort)"
python3 - mnt <<'PY' || fail "listings and stat differ"
import os, sys
for folder in ("a", "b"):
    for entry in os.scandir(os.path.join(sys.argv[1], folder)):
        assert entry.inode() == os.stat(entry.path).st_ino >= 1 << 63, entry.path
PY
[ "$(stat -c %i mnt/base)" = "$(stat -c %i store/base)" ] || fail "the store's own file system has other numbers"
before=$(find mnt -printf '%i %p\n' | sort)
stop_daemon mnt
start_daemon store mnt
[ "$(find mnt -printf '%i %p\n' | sort)" = "$before" ] || fail "other numbers after a remount"
alive
stop_daemon mnt
