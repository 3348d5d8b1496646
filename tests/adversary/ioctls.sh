#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ioctls: promise 9: ioctl, fcntl, locks, poll, leases and fiemap of every number are an errno, never a crash.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair

# hammer MODE: on files opened so.
hammer() {
timeout 60 python3 - mnt "$1" <<'PY' || fail "ioctls ($1)"
import errno, fcntl, os, random, select, struct, sys
allowed = {errno.ENOTTY, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.EROFS, errno.EACCES,
           errno.EIO, errno.EFAULT, errno.EXDEV, errno.EOVERFLOW,
           # what the daemon is asked: src/fuse/control.h
           errno.EPROTO, errno.EISDIR, errno.ENOENT, errno.EAGAIN}
rng = random.Random(1)
known = [0x80086601, 0x40086602, 0xc020660b, 0x40049409, 0x4020940d, 0x801c581f, 0x401c5820, 0x1260, 0x80081272, 0x1, 0x2,
         0x5401, 0x541b, 0x5421, 0xc0185879, 0x81785f01, 0x82187201, 0x8010661b, 0x400c6615, 0x6601, 0x40086604]
for name in ("tune/model.safetensors", "base/model.safetensors", ".", "tune"):
    writes = sys.argv[2] == "rw" and name.endswith("model.safetensors")
    fd = os.open(os.path.join(sys.argv[1], name), os.O_RDWR if writes else os.O_RDONLY)
    for request in known + [rng.randrange(1 << 32) for _ in range(400)]:
        if request & 0xffff in (0x5451, 0x5450, 0x5452, 0x5421, 0x5460):   # FIOCLEX and friends: the descriptor's own
            continue
        try:
            fcntl.ioctl(fd, request, bytearray(os.urandom(1024)), True)
        except OSError as error:
            assert error.errno in allowed, (name, hex(request), error)
    # Our own: noise, the version with noise, and all zero but for a byte.
    for i in range(600):
        noise = bytearray(os.urandom(536))
        if i % 3 == 1:
            noise[:4] = (1).to_bytes(4, "little")
        elif i % 3 == 2:
            noise = bytearray(536)
            noise[:4] = (1).to_bytes(4, "little")
            noise[rng.randrange(536)] = rng.randrange(256)
        try:
            fcntl.ioctl(fd, 3 << 30 | 536 << 16 | 0xdf << 8 | rng.choice((0, 1, 2, 3, 4, 5, 9, 10)), noise, True)
        except OSError as error:
            assert error.errno in allowed, (name, bytes(noise), error)
    # Bases: the same, with and without an end of the path.
    for i in range(300):
        noise = bytearray(os.urandom(4760)) if i % 3 else bytearray(4760)
        noise[:4] = (1).to_bytes(4, "little")
        if i % 3 == 2:
            noise[4:4760 - 4096] = bytes(4760 - 4096 - 4)
            noise[-1 - rng.randrange(4096)] = 0
        try:
            fcntl.ioctl(fd, 3 << 30 | 4760 << 16 | 0xdf << 8 | rng.randrange(5, 10), noise, True)
        except OSError as error:
            assert error.errno in allowed, (name, bytes(noise[:64]), error)
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
cmp mnt/base/model.safetensors orig/base/model.safetensors || fail "wrong bytes of the base"
alive
}

start_daemon store mnt
hammer ro
stop_daemon mnt
start_daemon store mnt -o rw,quiet=1
hammer rw
deltafsctl wait --timeout 240 mnt || fail "what was asked for never ends"
stop_daemon mnt
deltafsctl verify -r store >said 2>&1 || fail "the store afterwards: $(cat said)"
