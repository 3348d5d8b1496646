#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# small_writes: a program that writes in tiny pieces has no request made for each; whose set-id bits go all the same is posix/posix_mount.sh's to see.
# test: timeout=120
. "$(dirname "$0")/common.sh"

# Requests of a kind that the log of libfuse tells.
asked() { grep -c "opcode: $1 " "$log"; }

mkdir store mnt
start_daemon store mnt -d -o rw
python3 - mnt/file <<'PY' || fail "the writer failed"
import sys
with open(sys.argv[1], "wb", buffering=0) as f:
    for i in range(5000):
        f.write(bytes([i % 256]) * 100)
PY
[ "$(stat -c %s mnt/file)" = 500000 ] || fail "$(stat -c %s mnt/file) bytes"
stop_daemon mnt
[ "$(asked WRITE)" -gt 0 ] || fail "the log tells nothing: $(tail -3 "$log")"
echo "5000 writes: $(asked WRITE) WRITE, $(asked GETXATTR) GETXATTR"
[ "$(asked WRITE)" -lt 100 ] || fail "$(asked WRITE) WRITE"
# Each second the kernel may ask once more.
[ "$(asked GETXATTR)" -lt 100 ] || fail "$(asked GETXATTR) GETXATTR"
