# SPDX-License-Identifier: GPL-2.0-or-later
"""reverted: many at the same originals: reverts, accepts, writes, renames, links and removals of the same few files at once.

    reverted.py DIR ORIGINAL LOSSY SECONDS

What is at a name is the original, what became of it, or what somebody wrote
here; of several reverts of one original at most one is told that it worked.
"""
import errno
import os
import random
import subprocess
import sys
import threading
import time

DIR, SECONDS = sys.argv[1], float(sys.argv[4])
ORIGINAL, LOSSY = (open(path, "rb").read() for path in sys.argv[2:4])
EDITED = ORIGINAL[:-1] + b"!"
EXPECTED = (ORIGINAL, LOSSY, EDITED, LOSSY[:-1] + b"!", ORIGINAL[:-1] + b"?", LOSSY[:-1] + b"?")
GONE = (errno.ENOENT, errno.ESTALE)
errors, done = [], {}
lock = threading.Lock()


def count(what):
    with lock:
        done[what] = done.get(what, 0) + 1


def told(path, name):
    try:
        return os.getxattr(path, "user.deltafs." + name).decode()
    except OSError:
        return ""


def ctl(*words):
    ran = subprocess.run(["deltafsctl", *words], capture_output=True, text=True, timeout=60)
    if ran.returncode and not ran.stderr.strip() + ran.stdout.strip():
        errors.append(f"{words}: status {ran.returncode}, and not a word")
    return ran


def save(path):
    temporary = f"{DIR}/.tmp{threading.get_ident()}"
    with open(temporary, "wb") as f:
        f.write(ORIGINAL)
    os.rename(temporary, path)


def put_and_wait(path, rng, seconds=3):
    save(path)
    end = time.monotonic() + seconds
    while not told(path, "kept") and time.monotonic() < end:
        time.sleep(0.01)


def revert(path, rng):
    count("reverted" if ctl("revert", *rng.choice(((), ("--yes",))), path).returncode == 0 else "not reverted")


def accept(path, rng):
    count("accepted" if ctl("accept", path).returncode == 0 else "not accepted")


def put_and_revert(path, rng):
    put_and_wait(path, rng)
    revert(path, rng)


def put_and_accept(path, rng):
    put_and_wait(path, rng)
    accept(path, rng)


def write(path, rng):
    with open(path, "r+b") as f:
        f.seek(len(ORIGINAL) - 1)
        f.write(rng.choice((b"!", b"?")))


def move(path, rng):
    os.rename(path, path + "-moved")
    os.rename(path + "-moved", path)


def check(path, rng):
    with open(path, "rb") as f:
        got = f.read()
    if len(got) == len(ORIGINAL) and got not in EXPECTED:
        errors.append(f"{path}: bytes that nobody wrote")
    count("read")


def remove(path, rng):
    os.unlink(path)


def worker(number, end):
    rng = random.Random(number)
    while time.monotonic() < end and not errors:
        path = f"{DIR}/f{rng.randrange(3)}"
        what = rng.choice((put_and_wait, put_and_revert, put_and_revert, put_and_accept, revert, revert, accept, write, move, check, check, check, remove))
        try:
            what(path, rng)
        except OSError as error:
            if error.errno not in GONE + (errno.EPERM, errno.EBUSY):
                errors.append(f"{what.__name__} {path}: {error}")
        except Exception as error:
            errors.append(f"{what.__name__} {path}: {error}")


def race(path, first, second, rounds):
    """Both at once, of an original that is there: what came of it."""
    for _ in range(rounds):
        put_and_wait(path, None, 60)
        if not told(path, "kept"):
            errors.append(f"{path}: nothing is kept: {told(path, 'reason')}")
            return
        ran = [None, None]

        def one(i, word):
            ran[i] = ctl(word, path).returncode
        threads = [threading.Thread(target=one, args=pair) for pair in enumerate((first, second))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        got = open(path, "rb").read()
        if sorted(ran) != [0, 1]:
            errors.append(f"{first} and {second} at once: {ran}")
        won = (first, second)[ran.index(0)] if 0 in ran else None
        count(f"{won}ed")
        if got != {"revert": ORIGINAL, "accept": LOSSY}.get(won, got):
            errors.append(f"{won} won, and the file is not what it should be: exact={told(path, 'exact')}")
        if told(path, "kept"):
            errors.append(f"{won} won, and it is kept still")


race(f"{DIR}/race", "revert", "revert", 3)
race(f"{DIR}/race", "revert", "accept", 4)
race(f"{DIR}/race", "accept", "accept", 2)
threads = [threading.Thread(target=worker, args=(i, time.monotonic() + SECONDS)) for i in range(5)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(done)
sys.exit("\n".join(errors[:5]) if errors else 0)
