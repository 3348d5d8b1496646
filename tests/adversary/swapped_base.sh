#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# swapped_base: promise 10: what was allowed for one base file is not allowed for another that takes its place under an open container.
# test: timeout=120 root
. "$(dirname "$0")/common.sh"

[ "$(id -u)" = 0 ] || skip "needs several users"
given_pair
# Mallory owns the directory that root's private one lies in, so he may rename that, not look into it.
mkdir -p store/65534/sub store/65534/d && chown 65534 store/65534 store/65534/d && chmod 755 store/65534
head -c 300000 /dev/urandom >store/65534/sub/secret
chmod 600 store/65534/sub/secret && chmod 700 store/65534/sub
mkdir t && chmod 777 t
forge steal store/65534/sub/secret t/steal 65534/d/secret
as() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
as cp t/steal store/65534/steal || fail "mallory cannot write"
as sh -c 'head -c 300000 /dev/zero >store/65534/d/secret' || fail "mallory cannot make his own"
as cat store/65534/sub/secret >/dev/null 2>&1 && fail "mallory may read it anyway"

start_daemon store mnt -o allow_other
as /usr/bin/python3 - mnt/65534/steal store/65534 <<'PY' || fail "mallory sees root's file"
import os, sys, time
shown = os.open(sys.argv[1], os.O_RDONLY)
where = os.open(sys.argv[2], os.O_RDONLY | os.O_DIRECTORY)


def stolen():
    try:
        return os.pread(shown, 4096, 0) != b""
    except OSError:
        return False


assert not stolen()  # his own file: of the right size, and not the base
os.rename("d", "was", src_dir_fd=where, dst_dir_fd=where)
os.rename("sub", "d", src_dir_fd=where, dst_dir_fd=where)
end = time.monotonic() + 5
while time.monotonic() < end:
    if stolen():
        sys.exit("stolen")
    time.sleep(0.2)
PY
grep -q 'may not read the base' "$log" || fail "nothing was refused: $(tail -3 "$log")"
alive
stop_daemon mnt
