# SPDX-License-Identifier: GPL-2.0-or-later
"""read_whole: until its input ends, opens a file and reads it slowly, in each way there is; what one handle gives is one version, whole.

    read_whole.py FILE VERSION...

Versions are files; a pass reads half of the file, waits for it to be replaced
or for a moment, and reads the rest, and all again. Prints passes of each
version, and how many handles outlived their name.
"""
import collections
import errno
import mmap
import multiprocessing
import os
import sys
import time

FILE, VERSIONS = sys.argv[1], [open(path, "rb").read() for path in sys.argv[2:]]
SIZE = len(VERSIONS[0])


def by_pread(fd, at, n):
    return os.pread(fd, n, at)


def by_fresh_pread(fd, at, n):
    os.posix_fadvise(fd, at, n, os.POSIX_FADV_DONTNEED)
    return os.pread(fd, n, at)


def by_sendfile(fd, at, n):
    out = os.memfd_create("out")
    try:
        sent = 0
        while sent < n and (more := os.sendfile(out, fd, at + sent, n - sent)):
            sent += more
        return os.pread(out, n, 0)
    finally:
        os.close(out)


def by_splice(fd, at, n):
    out, into = os.pipe()
    try:
        parts = []
        while n and (more := os.splice(fd, into, min(n, 65536), offset_src=at)):
            while more:
                parts.append(os.read(out, more))
                more -= len(parts[-1])
                at, n = at + len(parts[-1]), n - len(parts[-1])
        return b"".join(parts)
    finally:
        os.close(out)
        os.close(into)


def by_copy(fd, at, n):
    """Across file systems; where the kernel will not, by bytes."""
    out = os.open(f"copied.{os.getpid()}", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        done = 0
        while done < n:
            try:
                more = os.copy_file_range(fd, out, n - done, at + done, done)
            except OSError as error:
                if error.errno not in (errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP):
                    raise
                return by_pread(fd, at, n)
            if not more:
                break
            done += more
        return os.pread(out, n, 0)
    finally:
        os.close(out)


class Mapped:
    def __call__(self, fd, at, n):
        with mmap.mmap(fd, SIZE, prot=mmap.PROT_READ) as area:
            return area[at:at + n]


def whole(read, fd, at, n):
    parts = []
    while n and (part := read(fd, at, n)):
        parts.append(part)
        at, n = at + len(part), n - len(part)
    return b"".join(parts)


def one_pass(read, pause):
    fd = os.open(FILE, os.O_RDONLY)
    try:
        if os.fstat(fd).st_size < SIZE:
            return "short"
        number = os.fstat(fd).st_ino
        half = whole(read, fd, 0, SIZE // 2)
        end = time.monotonic() + pause
        while time.monotonic() < end:
            try:
                if os.stat(FILE).st_ino != number:
                    break
            except FileNotFoundError:
                break
            time.sleep(0.01)
        replaced = time.monotonic() < end
        got = half + whole(read, fd, SIZE // 2, SIZE)
        again = whole(read, fd, 0, SIZE)
        if got not in VERSIONS or again != got:
            raise AssertionError(f"{read}: a handle gave bytes of no version, or of two: {len(got)}, {len(again)}")
        return f"version {VERSIONS.index(got)}{', replaced' if replaced else ''}"
    finally:
        os.close(fd)


def reader(read, pause, stop, results):
    seen = collections.Counter()
    try:
        while not stop.is_set():
            try:
                seen[one_pass(read, pause)] += 1
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ESTALE, errno.ENOTCONN, errno.ECONNABORTED, errno.EIO, errno.ENODEV):
                    raise
                seen[errno.errorcode[error.errno]] += 1
    except Exception as error:
        seen["wrong: %s" % error] += 1
    results.put(seen)


def main():
    ways = [(by_pread, 1), (by_fresh_pread, .5), (by_sendfile, 1), (by_splice, 1), (by_copy, 1), (Mapped(), 1)]
    stop, results = multiprocessing.Event(), multiprocessing.Queue()
    readers = [multiprocessing.Process(target=reader, args=(*way, stop, results)) for way in ways]
    for process in readers:
        process.start()
    sys.stdin.read()
    stop.set()
    total = collections.Counter()
    for _ in readers:
        total.update(results.get(timeout=60))
    for process in readers:
        process.join()
    print(dict(total))
    wrong = [what for what in total if what.startswith("wrong")]
    sys.exit("\n".join(wrong) if wrong else 0)


main()
