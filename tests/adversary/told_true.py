# SPDX-License-Identifier: GPL-2.0-or-later
"""told_true: until its input ends, opens a file again and again, and compares what its attributes say with its bytes.

    told_true.py FILE ORIGINAL

What is told by an open handle, before and after all was read by it, must be
the same, or the handle was written to; and exact is what is ORIGINAL. Prints
how often it looked, and in which states.
"""
import collections
import errno
import os
import select
import sys

FILE, ORIGINAL = sys.argv[1], open(sys.argv[2], "rb").read()
NAMES = ("state", "exact", "codec", "stored_bytes", "ratio")
GONE = (errno.ENOENT, errno.ESTALE)


def told(fd):
    values = []
    for name in NAMES:
        try:
            values.append(os.getxattr(fd, "user.deltafs." + name).decode())
        except OSError as error:
            if error.errno != errno.ENODATA:
                raise
            values.append("")
    return values


def whole(fd):
    parts, at = [], 0
    while part := os.pread(fd, 1 << 20, at):
        parts.append(part)
        at += len(part)
    return b"".join(parts)


def look():
    fd = os.open(FILE, os.O_RDONLY)
    try:
        before, bytes_before = told(fd), whole(fd)
        after = told(fd)
        if len(bytes_before) < len(ORIGINAL):
            return "being written"
        if before[1] == after[1]:
            same = bytes_before == ORIGINAL
            if same != (before[1] == "1"):
                raise AssertionError(f"exact is {before[1]}, and the bytes are {'the' if same else 'not the'} original's: {before} {after}")
        elif before[0] == after[0] == "container" and before[3] == after[3]:
            raise AssertionError(f"exact changed under a handle that nobody wrote to: {before} {after}")
        if before != after:     # an exact publish shows as the same file; its attributes are asked one by one
            return "changing"
        state, exact, codec, stored, ratio = before
        if state not in ("plain", "container") or (state == "plain") != (codec == "") or (state == "plain" and exact != "1"):
            raise AssertionError(f"told are {before}")
        if stored == "0":       # its bytes are in the kernel's cache, and not in the store yet
            return "being written"
        if abs(float(ratio) - os.fstat(fd).st_size / int(stored)) > .001:
            raise AssertionError(f"ratio: {before}, {os.fstat(fd).st_size} bytes")
        return f"{before[0]} {'exact' if before[1] == '1' else 'lossy'}"
    finally:
        os.close(fd)


seen = collections.Counter()
while not select.select([sys.stdin], [], [], 0.001)[0]:
    try:
        seen[look()] += 1
    except OSError as error:
        if error.errno not in GONE:
            sys.exit(f"{error}")
        seen["gone"] += 1
    except AssertionError as error:
        sys.exit(f"told_true: {error}")
print(dict(seen))
missing = [state for state in ("plain exact", "container exact", "container lossy") if not seen[state]]
sys.exit(f"never seen: {missing} of {dict(seen)}" if missing else 0)
