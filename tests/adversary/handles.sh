#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# handles: promises 2 and 10: O_PATH, openat2, AT_EMPTY_PATH, exec and odd flags give what a file system gives.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
cp /bin/true store/program && ln -s tune/model.safetensors store/link && chmod 000 store/base/model.safetensors
chmod 644 store/base/model.safetensors
start_daemon store mnt
mnt/program || fail "a program of the mount does not run"
python3 - mnt orig/tune/model.safetensors <<'PY' || fail "handles"
import ctypes, errno, os, struct, sys
mnt, original = sys.argv[1], open(sys.argv[2], "rb").read()
libc = ctypes.CDLL(None, use_errno=True)
root = os.open(mnt, os.O_PATH)
model = "tune/model.safetensors"
path = os.open(model, os.O_PATH, dir_fd=root)
assert os.fstat(path).st_size == len(original)
for call in (lambda: os.read(path, 1), lambda: os.pread(path, 1, 0)):
    try:
        call()
        raise AssertionError("O_PATH reads")
    except OSError as error:
        assert error.errno == errno.EBADF, error
assert os.read(os.open(f"/proc/self/fd/{path}", os.O_RDONLY), 4096) == original[:4096]
for resolve, name, ok in ((0x08, model, True), (0x08, "../" + model, False), (0x04, "link", False), (0x04, model, True),
                          (0x01, model, True), (0x10, "/" + model, True), (0, "link", True)):
    how = struct.pack("<QQQ", 0, 0, resolve)
    fd = libc.syscall(437, root, name.encode(), how, len(how))
    assert (fd >= 0) == ok, (resolve, name, ctypes.get_errno())
    if ok:
        assert os.pread(fd, 100, 7) == original[7:107]
# Every sane combination of flags reads the same; odd ones are an errno.
for flags in (os.O_RDONLY, os.O_DIRECT, os.O_NONBLOCK, os.O_NOATIME, os.O_NOCTTY, os.O_NOFOLLOW, os.O_SYNC, os.O_DSYNC,
              os.O_CLOEXEC, os.O_APPEND, os.O_LARGEFILE, os.O_NOFOLLOW | os.O_DIRECT | os.O_SYNC):
    fd = os.open(model, flags, dir_fd=root)
    assert os.pread(fd, 8192, 4096) == original[4096:12288], flags
    os.close(fd)
for name, flags, want in ((model, os.O_DIRECTORY, errno.ENOTDIR), ("link", os.O_NOFOLLOW, errno.ELOOP),
                          ("tune", os.O_RDWR, errno.EISDIR), (model + "/", os.O_RDONLY, errno.ENOTDIR),
                          (model + "/x", os.O_RDONLY, errno.ENOTDIR), ("none", os.O_RDONLY, errno.ENOENT)):
    try:
        os.open(name, flags, dir_fd=root)
        raise AssertionError(name)
    except OSError as error:
        assert error.errno in (want, errno.EROFS), (name, error)
# Reads of odd sizes at odd places, vectors, past the end, of nothing.
fd = os.open(model, os.O_RDONLY, dir_fd=root)
size = len(original)
for at, n in ((0, 0), (size - 1, 100), (size, 1), (size + 1, 1), (1 << 62, 4096), (131071, 2), (131072 * 3 - 7, 400001)):
    assert os.pread(fd, n, at) == original[at:at + n], (at, n)
parts = [bytearray(n) for n in (1, 4095, 131073, 7)]
assert os.preadv(fd, parts, 999) == sum(map(len, parts))
assert b"".join(parts) == original[999:999 + sum(map(len, parts))]
for at in (-1, -(1 << 62)):
    try:
        os.pread(fd, 1, at)
        raise AssertionError("read before the beginning")
    except OSError as error:
        assert error.errno == errno.EINVAL
out, into = os.pipe()
assert os.splice(fd, into, 4000, offset_src=12345) > 0
got = os.read(out, 4000)
assert got == original[12345:12345 + len(got)]
for whence, at, want in ((os.SEEK_DATA, 0, 0), (os.SEEK_HOLE, 0, size), (os.SEEK_DATA, size - 1, size - 1)):
    assert os.lseek(fd, at, whence) == want, (whence, at)
for whence in (os.SEEK_DATA, os.SEEK_HOLE):
    try:
        os.lseek(fd, size, whence)
        raise AssertionError("SEEK past the end")
    except OSError as error:
        assert error.errno == errno.ENXIO
PY
alive
stop_daemon mnt
