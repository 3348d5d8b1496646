#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# attributes: promise 5, section 8: xattrs of ours are answered and never listed, settable or hidden behind a name; those of users show as they are.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
touch store/plain && setfattr -n user.mine -v value store/plain && setfattr -n user.empty store/plain
setfattr -n user.big -v "$(head -c 3000 /dev/zero | tr '\0' v)" store/plain
setfattr -n user.mine -v model store/tune/model.safetensors
setfacl -m u:12345:r store/plain
ln -s plain store/link
start_daemon store mnt
python3 - mnt store <<'PY' || fail "attributes"
import errno, os, sys
mnt, store = sys.argv[1:]
ours = ["state", "codec", "exact", "base", "stored_bytes", "ratio", "reason", "reason_word", "status", "container", "plain", "", "x" * 200]
def errno_of(call, *args, **options):
    try:
        call(*args, **options)
    except OSError as error:
        return error.errno
for name in ("plain", "tune/model.safetensors", "tune", "", "link"):
    path = os.path.join(mnt, name)
    listed = os.listxattr(path)
    assert not [x for x in listed if "deltafs" in x], (name, listed)
    assert sorted(listed) == sorted(x for x in os.listxattr(os.path.join(store, name)) if "deltafs" not in x), (name, listed)
    for own in ours:
        for prefix in ("user.deltafs.", "trusted.deltafs."):
            for call in ((os.setxattr, path, prefix + own, b"1"), (os.removexattr, path, prefix + own)):
                assert errno_of(*call) in (errno.EPERM, errno.EROFS, errno.ERANGE), (name, call)
    for mark in ("user.deltafs.container", "trusted.deltafs.container", "user.deltafs.plain", "trusted.deltafs.plain"):
        assert errno_of(os.getxattr, path, mark) in (errno.ENODATA, errno.EPERM), (name, mark)
model = os.path.join(mnt, "tune/model.safetensors")
assert os.getxattr(model, "user.deltafs.state") == b"container"
assert os.getxattr(model, "user.deltafs.exact") == b"1"
assert os.getxattr(model, "user.mine") == b"model"
stored = os.stat(os.path.join(store, "tune/model.safetensors")).st_size
assert int(os.getxattr(model, "user.deltafs.stored_bytes")) >= stored > 0
assert os.getxattr(os.path.join(mnt, "plain"), "user.deltafs.state") == b"plain"
plain = os.path.join(mnt, "plain")
assert os.getxattr(plain, "user.big") == b"v" * 3000 and os.getxattr(plain, "user.empty") == b""
assert os.getxattr(plain, "system.posix_acl_access") == os.getxattr(os.path.join(store, "plain"), "system.posix_acl_access")
assert errno_of(os.getxattr, plain, "user.none") == errno.ENODATA
assert errno_of(os.getxattr, plain, "security.capability") == errno.ENODATA
assert errno_of(os.getxattr, plain, "user.deltafs") == errno.ENODATA
assert errno_of(os.getxattr, plain, "user.deltafs.State") == errno.ENODATA
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
status = os.getxattr(mnt, "user.deltafs.status")
assert len(status) < 65536
for size in range(0, len(b"container") + 3):
    room = ctypes.create_string_buffer(b"\xee" * 64, 64)
    got = libc.getxattr(model.encode(), b"user.deltafs.state", room, size)
    if 0 < size < 9:
        assert got == -1 and ctypes.get_errno() == errno.ERANGE, (size, got)
    else:
        assert got == 9 and room.raw[size:] == b"\xee" * (64 - size), (size, got)
PY
cp -a mnt/tune/model.safetensors copy && rsync -aX mnt/tune/model.safetensors copy2 || fail "copying"
getfattr -d -m - copy copy2 2>/dev/null | grep -q deltafs && fail "our attributes travel with copies"
cmp copy orig/tune/model.safetensors && cmp copy2 copy || fail "a copy differs"
alive
stop_daemon mnt
