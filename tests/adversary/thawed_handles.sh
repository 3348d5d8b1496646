#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# thawed_handles: promises 1 and 5, containers that are emptied, written to, mapped, unlinked, appended to and linked while 64 handles have them open: each sees the bytes as they are, size and times as on any file system.
# test: timeout=300
. "$(dirname "$0")/common.sh"

given_pair
cp -a store given
cat >writers.py <<'PY'
import mmap, os, sys, time
A = open("orig/tune/model.safetensors", "rb").read()
n = len(A)
def check(what, right):
    if not right:
        sys.exit(what)
def read(path):
    with open(path, "rb") as f:
        return f.read()
def state(path):
    return os.getxattr(path, "user.deltafs.state")
def is_new(path, since):
    time.sleep(1.1)	# what the kernel remembers of it is asked for anew
    check(f"{path}: its time is an old one", os.stat(path).st_mtime >= since - 0.1)
def emptied(path):
    before, since = os.stat(path), time.time()
    os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))
    check("O_TRUNC: size", os.stat(path).st_size == 0)
    check("O_TRUNC: number", os.stat(path).st_ino == before.st_ino)
    is_new(path, since)
def cut(path):
    since = time.time()
    os.truncate(path, 0)
    check("truncate: size", os.stat(path).st_size == 0)
    is_new(path, since)
def shortened(path):
    since = time.time()
    os.truncate(path, 5000)
    check("truncate: bytes", read(path) == A[:5000])
    is_new(path, since)
def emptied_while_written(path):
    readers = [os.open(path, os.O_RDONLY) for _ in range(32)]
    writers = [os.open(path, os.O_RDWR) for _ in range(32)]
    os.pwrite(writers[0], b"W" * 100, 5000)
    last = os.open(path, os.O_RDWR | os.O_TRUNC)
    check("emptied: size", os.fstat(last).st_size == 0)
    os.pwrite(writers[1], b"after", 10)
    for fd in readers:
        check("emptied: what a reader sees", os.pread(fd, 100, 0) == bytes(10) + b"after")
    for fd in (*readers, *writers, last):
        os.close(fd)
    check("emptied: after the last", read(path) == bytes(10) + b"after")
def mapped_and_removed(path):
    wanted = bytearray(A)
    w, r = os.open(path, os.O_RDWR), os.open(path, os.O_RDONLY)
    shown, written = mmap.mmap(r, 0, prot=mmap.PROT_READ), mmap.mmap(w, 0)
    for at in (1, 4095, 70001, n - 5):
        os.pwrite(w, b"xyz", at)
        wanted[at:at + 3] = b"xyz"
    written[100000:100010] = wanted[100000:100010] = b"0123456789"
    check("written: read", os.pread(r, n + 10, 0) == wanted)
    check("written: mapped", shown[:] == wanted)
    os.unlink(path)
    check("removed: read", os.pread(w, n + 10, 0) == wanted)
    os.pwrite(w, b"tail", n + 100)
    os.fsync(w)
    check("removed: written", os.pread(r, n + 1000, 0) == wanted + bytes(100) + b"tail")
def appended(path):
    with open(path, "ab") as f:
        f.write(b"END")
    check("appended", read(path) == A + b"END")
def linked(path):
    os.link(path, path + "-linked")
    check("linked: count", os.stat(path).st_nlink == 2)
    check("linked: number", os.stat(path).st_ino == os.stat(path + "-linked").st_ino)
    check("linked: bytes", read(path + "-linked") == A)
    check("linked: a container with two names", state(path) == b"plain")
def touched(path):
    os.utime(path)
    os.chmod(path, 0o640)
    os.setxattr(path, "user.note", b"1")
    os.close(os.open(path, os.O_RDWR))
    os.close(os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT))
    check("touched: it was decoded", state(path) == b"container")
    check("touched: bytes", read(path) == A)
for case in (emptied, cut, shortened, emptied_while_written, mapped_and_removed, appended, linked, touched):
    case("mnt/" + case.__name__)
PY

for options in rw,noingest rw,noingest,nowriteback; do
	rm -rf store && cp -a given store
	for name in emptied cut shortened emptied_while_written mapped_and_removed appended linked touched; do
		cp -a store/tune/model.safetensors store/$name
	done
	start_daemon store mnt -o "$options"
	timeout -s KILL 120 python3 writers.py || fail "$options: $(tail -3 "$log")"
	stop_daemon mnt
	[ -z "$(find store/.deltafs/tmp -type f)" ] || fail "$options: left behind: $(find store/.deltafs/tmp -type f)"
	! grep error "$log" || fail "$options: it complains"
done
