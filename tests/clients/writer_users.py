# SPDX-License-Identifier: GPL-2.0-or-later
"""Eight users who write, eight who read what those publish, all at once.

Each writer has a directory of his own, where he publishes by rename a fine-tune
with his number and a counter stamped into it, edits another one in place, moves
and removes. A reader finds whole files only, with the stamp of their owner and a
counter that never goes back, and is refused what is private.
"""
import random
import shutil
import time
import traceback

from writer import *

SEED = int(sys.argv[5]) if len(sys.argv) > 5 else random.randrange(1 << 30)
USERS, FIRST_WRITER, FIRST_READER, SECONDS = 8, 20100, 20200, 12
STAMPS = [100000, 500000, 900000]
text = TUNE.read_bytes()
end = time.monotonic() + SECONDS


def stamped(uid, counter):
    data = bytearray(text)
    for at in STAMPS:
        data[at:at + 8] = uid.to_bytes(4, "little") + counter.to_bytes(4, "little")
    return bytes(data)


def become(uid):
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    os.umask(0o022)


def write(path, data, pick):
    with open(path, "wb", buffering=0) as f:
        at = 0
        while at < len(data):
            at += f.write(data[at:at + pick.choice([4096, 10007, 1 << 20])])


def writer(uid):
    """His last state is in PLAIN too."""
    pick, counter = random.Random(SEED + uid), 0
    mine, plain = MOUNT / f"u{uid}", PLAIN / f"u{uid}"
    private = bytearray(text)
    os.close(os.open(mine / "private", os.O_CREAT | os.O_WRONLY, 0o600))
    write(mine / "private", private, pick)
    while time.monotonic() < end or counter < 6:
        counter += 1
        name = f"f{counter % 3}"
        write(mine / f"{name}.tmp", stamped(uid, counter), pick)
        os.rename(mine / f"{name}.tmp", mine / name)
        (plain / name).write_bytes(stamped(uid, counter))
        if pick.random() < 0.3:
            at, piece = pick.randrange(200000, len(text) - 9), pick.randbytes(8)
            with open(mine / "private", "r+b", buffering=0) as f:
                f.seek(at)
                f.write(piece)
            private[at:at + 8] = piece
        if pick.random() < 0.2:
            shutil.copyfile(mine / name, mine / "copy")
            if (mine / "copy").read_bytes() != stamped(uid, counter):
                fail(f"user {uid}: his own copy")
            (mine / "copy").unlink()
        time.sleep(pick.random() * 0.6)
    (plain / "private").write_bytes(private)


def whole(path):
    """The counter of a published file; None if it is not there."""
    try:
        with open(path, "rb") as f:
            data, owner = f.read(), os.fstat(f.fileno()).st_uid
    except FileNotFoundError:
        return None
    counter = int.from_bytes(data[STAMPS[0] + 4:STAMPS[0] + 8], "little")
    if data != stamped(owner, counter):
        fail(f"{path}: {len(data)} bytes that its owner {owner} did not write")
    return counter


def reader(uid):
    pick, seen, reads, refused = random.Random(SEED + uid), {}, 0, 0
    while time.monotonic() < end or not (reads and refused):
        folder = MOUNT / f"u{pick.randrange(USERS) + FIRST_WRITER}"
        path = folder / f"f{pick.randrange(3)}"
        counter = whole(path)
        if counter is not None:
            if counter < seen.get(path, 0):
                fail(f"{path}: {counter} after {seen[path]}")
            seen[path] = counter
            reads += 1
        try:
            with open(folder / "private", "rb"):
                fail(f"{folder}/private is open to user {uid}")
        except PermissionError:
            refused += 1
        except FileNotFoundError:
            pass
        time.sleep(0.02)


def start(uid, work):
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        become(uid)
        work(uid)
        status = 0
    except SystemExit as error:
        print(error, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    os._exit(status)


print(f"client: {USERS} writers and {USERS} readers, seed {SEED}", flush=True)
for uid in range(FIRST_WRITER, FIRST_WRITER + USERS):
    for root in BOTH:
        (root / f"u{uid}").mkdir()
        os.chown(root / f"u{uid}", uid, uid)
pids = [start(first + i, work) for first, work in ((FIRST_WRITER, writer), (FIRST_READER, reader)) for i in range(USERS)]
if any([os.waitpid(pid, 0)[1] for pid in pids]):
    fail("one of them failed")
for uid in range(FIRST_WRITER, FIRST_WRITER + USERS):
    for name in ("f0", "f1", "f2", "private"):
        wrote(f"u{uid}/{name}")
