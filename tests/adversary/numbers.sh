#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# numbers: promise 5: stat, statx, statfs and listings say the same of a file however asked, before and after it was coded.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
start_daemon store mnt
python3 - mnt store orig <<'PY' || fail "numbers differ"
import os, subprocess, sys
mnt, store, orig = sys.argv[1:]
for name in ("tune/model.safetensors", "base/model.safetensors"):
    path = os.path.join(mnt, name)
    plain, backing, shown = os.stat(os.path.join(orig, name)), os.stat(os.path.join(store, name)), os.stat(path)
    assert shown.st_size == plain.st_size, name
    assert shown.st_mode == backing.st_mode and shown.st_uid == backing.st_uid and shown.st_gid == backing.st_gid
    assert shown.st_mtime_ns == backing.st_mtime_ns
    assert shown.st_blocks == backing.st_blocks, (name, shown.st_blocks, backing.st_blocks)
    fd = os.open(path, os.O_RDONLY)
    assert os.fstat(fd) == shown
    size = subprocess.run(["stat", "-c", "%s %i %h", path], capture_output=True, text=True).stdout.split()
    assert size == [str(shown.st_size), str(shown.st_ino), str(shown.st_nlink)], size
    folder = os.path.dirname(path)
    assert {entry.name: entry.inode() for entry in os.scandir(folder)}[os.path.basename(path)] == shown.st_ino
a, b = os.statvfs(mnt), os.statvfs(store)
assert a.f_frsize and a.f_blocks * a.f_frsize == b.f_blocks * b.f_frsize and a.f_namemax == b.f_namemax == 255
assert abs(a.f_bavail * a.f_frsize - b.f_bavail * b.f_frsize) < 1 << 30
assert a.f_flag & os.ST_RDONLY and a.f_flag & os.ST_NOSUID and a.f_flag & os.ST_NODEV
PY
[ "$(findmnt -n -o SOURCE,FSTYPE "$PWD/mnt" | tr -s ' ')" = "$PWD/store fuse.deltafs" ] || fail "/proc/mounts: $(findmnt -n "$PWD/mnt")"
[ "$(du -sB1 --apparent-size mnt/tune | cut -f1)" -gt "$(du -sB1 mnt/tune | cut -f1)" ] || fail "du shows no saving"
alive
stop_daemon mnt
