# SPDX-License-Identifier: GPL-2.0-or-later
"""opened_published: opens and reads a file again and again, until its input ends, and compares its bytes.

    opened_published.py FILE ORIGINAL

Every time it is ORIGINAL, or not there. Prints how often, by the state that the open file is told to be in.
"""
import collections
import os
import select
import sys
import threading

FILE, ORIGINAL = sys.argv[1], open(sys.argv[2], "rb").read()
seen, wrong = collections.Counter(), []
end = threading.Event()


def look():
    try:
        fd = os.open(FILE, os.O_RDONLY)
    except (FileNotFoundError, OSError) as error:
        return type(error).__name__
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)    # what the kernel has is not what is read
        got = os.pread(fd, len(ORIGINAL) + 1, 0)
        if got != ORIGINAL:
            wrong.append(f"{len(got)} bytes that begin with {got[:16]}, not {ORIGINAL[:16]}")
        return os.getxattr(fd, "user.deltafs.state").decode()
    finally:
        os.close(fd)


def reader():
    while not end.is_set() and not wrong:
        seen[look()] += 1


threads = [threading.Thread(target=reader) for _ in range(1)]
for thread in threads:
    thread.start()
select.select([sys.stdin], [], [])
end.set()
for thread in threads:
    thread.join()
print(dict(seen))
sys.exit("\n".join(wrong[:3]) if wrong else 0)
