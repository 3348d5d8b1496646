#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# writes: promises 1 and 6, nothing is lost through the mount: it is read-only, every kind of change is EROFS and changes nothing.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
mkdir store/dir && yes plain | head -c 8192 >store/plain && ln -s plain store/link && mkfifo store/fifo
chmod 666 store/plain store/tune/model.safetensors && chmod 777 store/dir
before=$(find store -printf '%P %y %m %u %g %s %T@ %C@ %i %n\n' | sort; find store -type f -exec sha256sum {} + | sort)
start_daemon store mnt
python3 - mnt <<'PY' || fail "a change was allowed, or refused by another errno"
import ctypes, errno, fcntl, mmap, os, struct, sys
os.chdir(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
MODEL = "tune/model.safetensors"
tried = 0
def erofs(what, call, *args, also=(), **options):
    global tried
    tried += 1
    try:
        result = call(*args, **options)
    except OSError as error:
        assert error.errno in (errno.EROFS, *also), (what, error)
        return
    raise AssertionError(f"{what} gave {result!r}")
def raw(name, *args):
    ctypes.set_errno(0)
    if getattr(libc, name)(*args) == 0:
        return 0
    raise OSError(ctypes.get_errno(), name)
for path in ("plain", MODEL, "link"):
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, os.O_WRONLY | os.O_TRUNC, os.O_RDWR | os.O_APPEND,
                  os.O_WRONLY | os.O_DIRECT, os.O_RDWR | os.O_SYNC, os.O_WRONLY | os.O_CREAT):
        erofs(f"open {path} {flags:o}", os.open, path, flags)
    erofs("truncate", os.truncate, path, 0)
    erofs("truncate up", os.truncate, path, 1 << 40)
    erofs("chmod", os.chmod, path, 0o600)
    erofs("chown", os.chown, path, os.getuid(), os.getgid())
    erofs("utime", os.utime, path, (0, 0))
    erofs("utime now", os.utime, path)
    erofs("setxattr", os.setxattr, path, "user.x", b"1")
    erofs("setxattr own", os.setxattr, path, "user.deltafs.state", b"1", also=(errno.EPERM,))
    erofs("setxattr mark", os.setxattr, path, "user.deltafs.container", bytes(24), also=(errno.EPERM,))
    erofs("removexattr", os.removexattr, path, "user.x", also=(errno.EPERM,))
    erofs("link", os.link, path, "new", follow_symlinks=True)
    erofs("rename", os.rename, path, "new")
    erofs("rename over", os.rename, path, "dir/new")
    erofs("unlink", os.unlink, path)
for what, call in (("creat", lambda: os.open("new", os.O_CREAT | os.O_WRONLY)),
                   ("excl", lambda: os.open("dir/new", os.O_CREAT | os.O_EXCL | os.O_RDWR)),
                   ("mkdir", lambda: os.mkdir("new")), ("rmdir", lambda: os.rmdir("dir")),
                   ("symlink", lambda: os.symlink("x", "new")), ("mknod", lambda: os.mknod("new", 0o100600)),
                   ("mkfifo", lambda: os.mkfifo("new")), ("rename dir", lambda: os.rename("dir", "new")),
                   ("exchange", lambda: raw("renameat2", -100, b"plain", -100, b"dir", 2)),
                   ("noreplace", lambda: raw("renameat2", -100, b"plain", -100, b"new", 1)),
                   ("lchown", lambda: os.lchown("link", os.getuid(), os.getgid())),
                   ("lutimes", lambda: os.utime("link", (0, 0), follow_symlinks=False)),
                   ("unlink link", lambda: os.unlink("link")), ("unlink fifo", lambda: os.unlink("fifo"))):
    erofs(what, call)
erofs("tmpfile", os.open, "dir", os.O_TMPFILE | os.O_RDWR, also=(errno.EOPNOTSUPP,))
# Through a descriptor that was opened for reading, and through /proc.
for path in ("plain", MODEL):
    fd = os.open(path, os.O_RDONLY)
    for what, call in (("write", lambda: os.write(fd, b"x")), ("pwrite", lambda: os.pwrite(fd, b"x", 0)),
                       ("ftruncate", lambda: os.ftruncate(fd, 0)),
                       ("fallocate", lambda: os.posix_fallocate(fd, 0, 1 << 20)),
                       ("copy_file_range", lambda: os.copy_file_range(os.open("plain", os.O_RDONLY), fd, 4)),
                       ("fchmod", lambda: os.fchmod(fd, 0o600)), ("fchown", lambda: os.fchown(fd, os.getuid(), os.getgid())),
                       ("futimens", lambda: os.utime(fd, (0, 0))), ("fsetxattr", lambda: os.setxattr(fd, "user.x", b"1")),
                       ("proc", lambda: os.open(f"/proc/self/fd/{fd}", os.O_RDWR)),
                       ("shared mapping", lambda: mmap.mmap(fd, 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE)),
                       ("FS_IOC_SETFLAGS", lambda: fcntl.ioctl(fd, 0x40086602, struct.pack("q", 0x10))),
                       ("FICLONE", lambda: fcntl.ioctl(fd, 0x40049409, fd))):
        erofs(what, call, also=(errno.EBADF, errno.EINVAL, errno.EACCES, errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV))
    private = mmap.mmap(fd, 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    private[:4] = b"mine"
    assert os.pread(fd, 4, 0) != b"mine"
print(tried, "changes refused")
assert tried > 90, tried
PY
[ "$before" = "$(find store -printf '%P %y %m %u %g %s %T@ %C@ %i %n\n' | sort; find store -type f -exec sha256sum {} + | sort)" ] || fail "the store changed"
alive
stop_daemon mnt
