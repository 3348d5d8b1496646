#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# claims: promise 2, section 3: a claim is never shown as its raw bytes; what does not claim always is.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
mkdir t
python3 - store <<'PY'
import os, struct, sys
from read_container import MAGIC, h64
root = sys.argv[1]
def put(name, data, mark=None):
    path = os.path.join(root, name)
    with open(path, "wb") as file:
        file.write(data)
    if mark is not None:
        os.setxattr(path, "user.deltafs.container", mark)
body = bytes(range(256)) * 40
for n in range(17):
    put("magic-%02d" % n, bytes(m if i < n else m ^ 0xff for i, m in enumerate(MAGIC)) + body)
    put("magic-last-%02d" % n, bytes(m if i >= 16 - n else m ^ 0xff for i, m in enumerate(MAGIC)) + body)
put("marked", body, bytes(16) + struct.pack("<Q", 12345))
put("marked-short", b"x", bytes(16) + struct.pack("<Q", 1 << 40))
put("marked-empty", b"", bytes(24))
put("marked-hostile", body, b"\xff" * 24)
put("marked-long", body, b"\xff" * 2000)
put("marked-nothing", body, b"")
put("short-magic", MAGIC[:12])
put("short-plain", MAGIC[:11])
put("magic-alone", MAGIC)
put("magic-noise", MAGIC + os.urandom(5000))
newer = struct.pack("<16sIIQQQQ", MAGIC, 77, 0, 0, 0, 54321, 0)
put("newer", newer + struct.pack("<Q", h64(newer, 0)) + os.urandom(9000))
PY
start_daemon store mnt
timeout 20 ls -l mnt >/dev/null || fail "ls"
python3 - mnt store <<'PY' || fail "a claim was shown, or a plain file was not"
import errno, os, sys
mnt, store = sys.argv[1:]
plain = ["magic-%02d" % n for n in range(12)] + ["magic-last-%02d" % n for n in range(12)] + ["short-plain"]
claims = [name for name in os.listdir(mnt) if name.startswith(("magic", "marked", "short", "newer")) and name not in plain]
assert len(claims) == 5 + 5 + 6 + 1 + 2 + 1, sorted(claims)
for name in plain:
    raw = open(os.path.join(store, name), "rb").read()
    assert open(os.path.join(mnt, name), "rb").read() == raw, name
for name in claims:
    want = errno.ENOTSUP if name == "newer" else errno.EIO
    for flags in (os.O_RDONLY, os.O_RDONLY | os.O_DIRECT, os.O_RDONLY | os.O_NOATIME):
        try:
            fd = os.open(os.path.join(mnt, name), flags)
        except OSError as error:
            assert error.errno == want, (name, error)
            continue
        sys.exit(f"{name} opens and gives {os.pread(fd, 16, 0)!r}")
size = {name: os.stat(os.path.join(mnt, name)).st_size for name in claims}
assert size["newer"] == 54321, size
assert size["marked"] == 12345, size
assert size["marked-short"] == 1 << 40, size
assert size["marked-hostile"] == 10240, size
assert size["magic-alone"] == 16, size
PY
grep -q 'magic-16' "$log" || fail "the log does not name a refused file"
alive
stop_daemon mnt
