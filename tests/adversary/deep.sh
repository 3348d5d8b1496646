#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# deep: promise 9: directories nested beyond PATH_MAX, names of 255 bytes of every kind: right bytes or an errno, never a crash.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
python3 - store <<'PY'
import os, sys
root = os.open(sys.argv[1], os.O_RDONLY)
at, name = root, "d" * 200
for depth in range(60):
    os.mkdir(name, dir_fd=at)
    at = os.open(name, os.O_RDONLY, dir_fd=at)
    with open(os.open("leaf", os.O_WRONLY | os.O_CREAT, dir_fd=at), "wb") as leaf:
        leaf.write(b"%d" % depth)
names = [bytes([b]) * 255 for b in range(1, 256) if b not in (0x2e, 0x2f)]
names += [b"." * 3, b"..." + b" " * 252, b"\xf0\x9f\x92\xa9" * 63, b"-rf", b"*", b"a\\\nb", b"%s%n", b"x" * 254]
os.mkdir("names", dir_fd=root)
fd = os.open("names", os.O_RDONLY, dir_fd=root)
for name in names:
    with open(os.open(name, os.O_WRONLY | os.O_CREAT, dir_fd=fd), "wb") as file:
        file.write(name)
PY
start_daemon store mnt
timeout 60 python3 - mnt <<'PY' || fail "a deep or odd name is lost"
import errno, os, sys
root = os.open(sys.argv[1], os.O_RDONLY)
at, reached, refused = root, 0, 0
for depth in range(60):
    try:
        at = os.open("d" * 200, os.O_RDONLY, dir_fd=at)
        assert os.read(os.open("leaf", os.O_RDONLY, dir_fd=at), 99) == b"%d" % depth
        reached += 1
    except OSError as error:
        # A node is opened by its path from the root: what is longer than PATH_MAX is refused by name.
        assert error.errno in (errno.ENAMETOOLONG, errno.ESTALE), error
        refused += 1
        break
print("reached", reached, "levels of 60")
assert reached >= 4096 // 201 - 1, reached
fd = os.open("names", os.O_RDONLY, dir_fd=root)
listed = os.listdir(fd)
assert len(listed) == 253 + 8, len(listed)
for name in map(os.fsencode, listed):
    assert os.read(os.open(name, os.O_RDONLY, dir_fd=fd), 300) == name, name
for name in (b"y" * 256, b"y" * 4000):
    try:
        os.stat(name, dir_fd=fd)
    except OSError as error:
        assert error.errno == errno.ENAMETOOLONG, error
PY
timeout 60 find mnt >/dev/null 2>&1
timeout 60 ls -lR mnt >/dev/null 2>&1
alive
stop_daemon mnt
python3 -c 'import shutil; shutil.rmtree("store/" + "d" * 200)' || rm -rf store/d*
