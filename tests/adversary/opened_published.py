# SPDX-License-Identifier: GPL-2.0-or-later
"""opened_published: opens and reads a file again and again, until its input ends, and compares its bytes.

    opened_published.py FILE ORIGINAL

Every time it is ORIGINAL, or not there. Prints how often, by the state that the open file is told to be in.
"""
import collections
import os
import select
import sys

FILE, ORIGINAL = sys.argv[1], open(sys.argv[2], "rb").read()
seen, wrong = collections.Counter(), []


def look():
    try:
        fd = os.open(FILE, os.O_RDONLY)
    except OSError as error:
        return type(error).__name__
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)    # what the kernel has is not what is read
        got = os.pread(fd, len(ORIGINAL) + 1, 0)
        if got != ORIGINAL:
            wrong.append(f"{len(got)} bytes that begin with {got[:16]}, not {ORIGINAL[:16]}")
        return os.getxattr(fd, "user.deltafs.state").decode()
    finally:
        os.close(fd)


while not wrong and not select.select([sys.stdin], [], [], 0)[0]:
    seen[look()] += 1
print(dict(seen))
sys.exit(wrong[0] if wrong else 0)
