#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ioctls: promise 9: ioctl, fcntl, locks, poll, leases and fiemap of every number are an errno, never a crash.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
start_daemon store mnt
timeout 60 python3 - mnt <<'PY' || fail "ioctls"
import errno, fcntl, os, random, select, struct, sys
allowed = {errno.ENOTTY, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.EROFS, errno.EACCES,
           errno.EIO, errno.EFAULT, errno.EXDEV, errno.EOVERFLOW}
rng = random.Random(1)
known = [0x80086601, 0x40086602, 0xc020660b, 0x40049409, 0x4020940d, 0x801c581f, 0x401c5820, 0x1260, 0x80081272, 0x1, 0x2,
         0x5401, 0x541b, 0x5421, 0xc0185879, 0x81785f01, 0x82187201, 0x8010661b, 0x400c6615, 0x6601, 0x40086604]
for name in ("tune/model.safetensors", "base/model.safetensors", ".", "tune"):
    fd = os.open(os.path.join(sys.argv[1], name), os.O_RDONLY)
    for request in known + [rng.randrange(1 << 32) for _ in range(400)]:
        if request & 0xffff in (0x5451, 0x5450, 0x5452, 0x5421, 0x5460):   # FIOCLEX and friends: the descriptor's own
            continue
        try:
            fcntl.ioctl(fd, request, bytearray(os.urandom(1024)), True)
        except OSError as error:
            assert error.errno in allowed, (name, hex(request), error)
    for operation in (fcntl.LOCK_SH, fcntl.LOCK_UN, fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_UN):
        fcntl.flock(fd, operation)
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        assert error.errno in allowed | {errno.EAGAIN}, error
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    poll.poll(100)
    os.fsync(fd)
    os.close(fd)
PY
cmp mnt/tune/model.safetensors orig/tune/model.safetensors || fail "wrong bytes"
alive
stop_daemon mnt
