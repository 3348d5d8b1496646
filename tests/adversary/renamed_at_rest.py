# SPDX-License-Identifier: GPL-2.0-or-later
"""renamed_at_rest: files that are written, closed and renamed at the very moment that their turn is.

    renamed_at_rest.py DIR ORIGINAL

Each file is let alone after that. How it is done, and how long the writer
waits before each step, goes round. Prints how many there are.
"""
import ctypes
import os
import sys
import time

DIR = sys.argv[1]
ORIGINAL = open(sys.argv[2], "rb").read()
RENAME_EXCHANGE = 2
libc = ctypes.CDLL(None, use_errno=True)


def write(path):
    with open(path, "wb") as f:
        f.write(ORIGINAL)


def exchange(a, b):
    if libc.renameat2(-100, a.encode(), -100, b.encode(), RENAME_EXCHANGE) < 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def rename(place, wait):
    write(f"{place}/new")
    time.sleep(wait)
    os.rename(f"{place}/new", f"{place}/file")


def replace(place, wait):
    write(f"{place}/file")
    rename(place, wait)


def rename_open(place, wait):
    with open(f"{place}/new", "wb") as f:
        f.write(ORIGINAL)
        f.flush()
        pid = os.fork()
        if pid == 0:            # the last to close it does so while another renames it
            time.sleep(wait)
            os._exit(0)
    os.rename(f"{place}/new", f"{place}/file")
    os.waitpid(pid, 0)


def rename_directory(place, wait):
    os.mkdir(f"{place}/before")
    write(f"{place}/before/file")
    time.sleep(wait)
    os.rename(f"{place}/before", f"{place}/after")


def change_places(place, wait):
    write(f"{place}/a")
    write(f"{place}/b")
    time.sleep(wait)
    exchange(f"{place}/a", f"{place}/b")


WAYS = (rename, replace, rename_open, rename_directory, change_places)
for number in range(60):
    place = f"{DIR}/{number}"
    os.mkdir(place)
    WAYS[number % len(WAYS)](place, number // len(WAYS) * .001)
print(sum(len(files) for _, _, files in os.walk(DIR)), "files")
