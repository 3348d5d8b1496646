#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# terabyte: promise 9, bounded memory: a sound container of a terabyte opens at once and is read in pieces.
# test: timeout=120 nosan
. "$(dirname "$0")/common.sh"

given_pair
forge terabyte store/terabyte
start_daemon store mnt -o cache=64M
[ "$(stat -c %s mnt/terabyte)" = $((1 << 40)) ] || fail "size"
timeout 20 python3 - mnt/terabyte <<'PY' || fail "reading"
import errno, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
end = 1 << 40
for at in (0, 1 << 20, (16 << 20) - 100, end - 4096, end - 1):
    got = os.pread(fd, 4096, at)
    assert got == bytes(min(4096, end - at)), at
assert os.pread(fd, 4096, end) == b""
assert os.pread(fd, 4096, 1 << 62) == b""
for at in (1 << 39, (1 << 40) - (64 << 20)):
    try:
        os.pread(fd, 4096, at)
    except OSError as error:
        assert error.errno == errno.EIO, error
    else:
        sys.exit("bytes that do not match their hash were shown")
assert os.lseek(fd, 0, os.SEEK_END) == end
PY
for reader in cat sha256sum; do
	$reader mnt/terabyte >/dev/null 2>&1 &
	sleep 3
	kill -KILL $! 2>/dev/null
	wait $! 2>/dev/null	# timeout(1) would not wait until it is gone
done
[ "$(peak)" -lt $(((64 + 64) * 1024)) ] || fail "$(peak) KiB of memory"
echo "peak $(peak) KiB"
alive
stop_daemon mnt
