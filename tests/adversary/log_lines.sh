#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# log_lines: promise 2, one log line for a failure: hostile names forge no lines, and a hundred thousand failures do not fill the disk.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
python3 - store <<'PY'
import os, sys
data = bytearray(open(os.path.join(sys.argv[1], "tune/model.safetensors"), "rb").read())
for at in range(300, 4000, 64):
    data[at] ^= 0x10
for name in (b"a\ndeltafs: error: forged", b"b\r\x1b[2Jcleared", b"c\x00"[:1] + b"\x07bell", b"%s%n%s%n", b"d" * 200 + b"\xff\xfe", b"bad"):
    with open(os.path.join(os.fsencode(sys.argv[1]), name), "wb") as file:
        file.write(data)
PY
start_daemon store mnt
for file in mnt/*; do [ -d "$file" ] || cat "$file" >/dev/null 2>&1; done
grep -q 'forged' "$log" || fail "the hostile name is not in the log at all: $(cat "$log")"
grep -aEq '^deltafs: error: forged|^[^a-z]*forged' "$log" && fail "a name forges a line: $(cat -v "$log")"
LC_ALL=C grep -aq "$(printf '[\033\007\r]')" "$log" && fail "control characters in the log: $(cat -v "$log" | tail -4)"
deltafsctl ls store >listed 2>&1
deltafsctl verify -r store >>listed 2>&1
LC_ALL=C grep -aq "$(printf '[\033\007\r]')" listed && fail "control characters from deltafsctl"
python3 - mnt/bad <<'PY'
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
failures = 0
for i in range(20000):
    try:
        os.pread(fd, 4096, 4096 * (i % 200))
    except OSError:
        failures += 1
print(failures, "failed reads")
assert failures > 1000
PY
[ "$(stat -c %s "$log")" -lt 300000 ] || fail "the log grew to $(stat -c %s "$log") bytes"
echo "log: $(wc -l <"$log") lines"
alive
stop_daemon mnt
