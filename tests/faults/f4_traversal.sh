#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# F4: symbolic links, special files and odd names in a store lead nowhere: text only, nothing outside is opened, nothing hangs.
# test: timeout=300
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"
need strace

make_store --params 100000 --seed 161
ln -s /etc/shadow store/shadow
ln -s ../../../../../../etc/passwd store/up
ln -s tune/model.safetensors store/inside
mkfifo store/fifo
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' store/socket
[ -n "$DFS_AS_USER" ] || mknod store/zero c 1 5
python3 - store <<'PY'
import os, sys
names = [bytes([b]) for b in range(1, 256) if b not in (0x2e, 0x2f)] + [b"x" * 255, b"a\nb", b"\xff\xfe.safetensors"]
for name in names:
    with open(os.path.join(sys.argv[1].encode(), name), "wb") as f:
        f.write(name)
PY
DFS_WRAP="strace -f -qq -o trace -e trace=openat,openat2,open" start_daemon store mnt
[ "$(readlink mnt/shadow)" = /etc/shadow ] || fail "readlink"
[ "$(readlink mnt/up)" = ../../../../../../etc/passwd ] || fail "readlink"
timeout 20 cmp mnt/inside orig/tune/model.safetensors || fail "a link inside"
[ -p mnt/fifo ] && [ -S mnt/socket ] || fail "special files show as what they are"
timeout 20 ls -lR mnt >/dev/null || fail "ls hangs"
timeout 20 python3 - mnt <<'PY' || fail "a name is lost"
import os, sys
root = sys.argv[1].encode()
names = [bytes([b]) for b in range(1, 256) if b not in (0x2e, 0x2f)] + [b"x" * 255, b"a\nb", b"\xff\xfe.safetensors"]
listed = set(os.listdir(root))
for name in names:
    assert name in listed, name
    assert open(os.path.join(root, name), "rb").read() == name, name
PY
expect_fail any 'File name too long' stat "mnt/$(printf 'y%.0s' {1..256})"
[ ! -e mnt/.deltafs ] || fail ".deltafs can be reached"
expect_fail any 'No such file|not permitted|denied' ls mnt/.deltafs/pins
expect_fail any 'No such file|not permitted|denied' cat mnt/tune/../.deltafs/version
expect_fail any 'Read-only|not permitted' mkdir mnt/.deltafs
expect_fail any 'Read-only|not permitted' ln -s x mnt/.deltafs
! ls -a mnt | grep -q deltafs || fail ".deltafs is listed"
stop_daemon mnt
grep -E 'etc/(shadow|passwd)' trace && fail "the daemon followed a link out of the store"
grep -q openat trace || fail "nothing was traced"
faults_fired "$(find store -mindepth 1 -maxdepth 1 | wc -l)" 250 # odd names
