#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# written_marks: promise 10, bytes written through the mount are never taken for a container: all ways to get them there, in pieces, by holes and sizes, two at once, after a remount too.
# test: timeout=120
. "$(dirname "$0")/common.sh"

mkdir store mnt plain
: >store/x && setfattr -n user.x -v 1 store/x 2>/dev/null || skip "no attributes here"
ways() {
	python3 - "$1" <<'PY' || fail "$1"
import ctypes, mmap, os, sys, threading
threading.excepthook = lambda lost: (threading.__excepthook__(lost), os._exit(1))  # the others would go on
os.chdir(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
MAGIC = b"\x89DELTAFS\r\n\x1a\n\x00\xff\xc3\x28"
ELEVEN = MAGIC[:11] + b"X"	# with a NUL behind it, as a size or a hole makes one, it would claim
def fallocate(mode, off, size):
    def call(fd, name):
        os.write(fd, MAGIC[:11] + b"XY" + bytes(5000))
        os.fsync(fd)
        if libc.fallocate(fd, mode, ctypes.c_long(off), ctypes.c_long(size)) < 0:
            raise OSError(ctypes.get_errno(), "fallocate")
    return call
def after(call):
    def both(fd, name):
        os.write(fd, ELEVEN)
        os.fsync(fd)
        call(fd, name)
    return both
def pieces(order):
    def call(fd, name):
        for at in order:
            os.pwrite(fd, MAGIC[at:at + 1], at)
            os.fsync(fd)
    return call
def source(content):
    fd = os.open("source", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.write(fd, content)
    return fd
def mapped(fd, name):
    os.ftruncate(fd, 4096)
    with mmap.mmap(fd, 4096) as m:
        m[:16] = MAGIC
def direct(fd, name):
    other = os.open(name, os.O_RDWR | os.O_DIRECT)
    block = mmap.mmap(-1, 4096)
    block[:16] = MAGIC
    os.pwrite(other, block, 0)
    os.close(other)
def halves(fd, name):
    def half(at):
        other = os.open(name, os.O_RDWR | os.O_DIRECT)
        block = mmap.mmap(-1, 4096)
        block[:8] = MAGIC[at:at + 8]
        for _ in range(40):
            try:
                os.pwrite(other, memoryview(block)[:8], at)
            except OSError:	# not in such pieces here
                os.pwrite(fd, MAGIC[at:at + 8], at)
        os.close(other)
    threads = [threading.Thread(target=half, args=(at,)) for at in (0, 8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
def renamed(fd, name):
    with open("temporary", "wb") as f:
        f.write(MAGIC * 300)
    os.rename("temporary", name)
def linked(fd, name):
    os.write(fd, MAGIC * 300)
    os.link(name, name + "-linked")
def shortened(fd, name):
    os.write(fd, b"y" + MAGIC)
    os.fsync(fd)
    os.copy_file_range(fd, fd, 8, 1, 40)
    for at in range(16):
        os.pwrite(fd, os.pread(fd, 1, at + 1), at)
ways = {
    "whole": lambda fd, name: os.write(fd, MAGIC),
    "container-like": lambda fd, name: os.write(fd, MAGIC + b"\x01" * 4096 + MAGIC),
    "twelve": lambda fd, name: os.write(fd, MAGIC[:12]),
    "forwards": pieces(range(16)), "backwards": pieces(reversed(range(16))), "by twos": pieces([*range(0, 16, 2), *range(1, 16, 2)]),
    "longer": after(lambda fd, name: os.ftruncate(fd, 100)),
    "longer by name": after(lambda fd, name: os.truncate(name, 100)),
    "far": after(lambda fd, name: os.pwrite(fd, b"z", 100000)),
    "room": after(lambda fd, name: os.posix_fallocate(fd, 0, 5000)),
    "copied far": after(lambda fd, name: os.copy_file_range(source(bytes(8000)), fd, 100, 0, 4096)),
    "hole": fallocate(3, 12, 1), "zeros": fallocate(0x10, 12, 1),
    "copied": lambda fd, name: os.copy_file_range(source(b"some" + MAGIC + bytes(8000)), fd, 8000, 4, 0),
    "mapped": mapped, "direct": direct, "halves": halves, "renamed": renamed, "linked": linked, "shortened": shortened,
}
for name, way in ways.items():
    fd = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        way(fd, name)
    except OSError as error:
        sys.exit(f"{name}: {error}")
    os.close(fd)
PY
}

ways plain
for options in quiet=0 quiet=0,nowriteback; do
	rm -rf store && mkdir store
	start_daemon store mnt -o "rw,$options"
	ways mnt
	diff -r plain mnt || fail "$options: what was written is not what is read"
	deltafsctl wait mnt >waited || fail "$options: $(cat waited)"
	diff -r plain mnt || fail "$options: at rest it is not"
	stop_daemon mnt
	# A backup that loses attributes makes nobody's file into something else. One of two names stays plain.
	rm -rf bare && cp -r --preserve=links store bare
	start_daemon bare mnt
	diff -r --exclude='linked*' plain mnt || fail "$options: without attributes it is not"
	stop_daemon mnt
	start_daemon store mnt
	diff -r plain mnt || fail "$options: after a remount it is not"
	# The marks are nobody's to see, to set or to take away.
	[ -z "$(getfattr -m - mnt/whole 2>/dev/null)" ] || fail "a mark is listed: $(getfattr -m - mnt/whole)"
	stop_daemon mnt
	start_daemon store mnt -o "rw,$options"
	for name in {trusted,user}.deltafs.{plain,container,anything}; do
		setfattr -n "$name" -v 0x00 mnt/whole 2>/dev/null && fail "$name can be set"
		setfattr -x "$name" mnt/whole 2>/dev/null && fail "$name can be removed"
	done
	diff -r plain mnt || fail "$options: a mark was lost"
	stop_daemon mnt
done
