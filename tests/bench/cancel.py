#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""cancel: how long an encode goes on after its file was written to.

    cancel.py MOUNT FILE TIMES

FILE is a path in MOUNT of a file that waits to be compressed, or is. Prints
the milliseconds of each time; what the daemon works on is asked of it.
"""
import ctypes
import json
import os
import sys
import time

PATIENCE_S = 120


LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]
WRITE_AND_WAIT = 7


def hand_over(fd):
    """Have the kernel give the daemon what it holds back, and not also have the disk take all of the file, as fsync(2) does."""
    if LIBC.sync_file_range(fd, 0, 4096, WRITE_AND_WAIT) != 0:
        sys.exit(f"cancel: sync_file_range: {os.strerror(ctypes.get_errno())}")


def work(mount):
    """The path that is in work, and its step; or None."""
    now = json.loads(os.getxattr(mount, "user.deltafs.status"))["queue"].get("work")
    return (now["path"], now["step"]) if now else None


def wait_for(mount, rel, steps):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        now = work(mount)
        if now and now[0] == rel and now[1] in steps:
            return
        time.sleep(0.001)
    sys.exit(f"cancel: {rel} does not come into work")


def main():
    mount, rel, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
    fd = os.open(f"{mount}/{rel}", os.O_RDWR)
    first = os.pread(fd, 1, 0)
    os.close(fd)
    for i in range(times):
        fd = os.open(f"{mount}/{rel}", os.O_RDWR)
        os.pwrite(fd, first, 0)
        os.close(fd)
        wait_for(mount, rel, ("encoding",) if i % 2 == 0 else ("verifying",))
        fd = os.open(f"{mount}/{rel}", os.O_RDWR)
        began = time.monotonic()
        os.pwrite(fd, first, 0)
        hand_over(fd)
        while (now := work(mount)) and now[0] == rel:
            time.sleep(0.001)
        print(f"{(time.monotonic() - began) * 1000:.1f}")
        os.close(fd)


if __name__ == "__main__":
    main()
