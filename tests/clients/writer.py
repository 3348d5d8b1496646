# SPDX-License-Identifier: GPL-2.0-or-later
"""writer: what the writer_*.py share.

A script is called `writer_x.py MOUNT PLAIN TUNE NEXT`: a writable mount that
compresses at once, a folder of an ordinary file system, and two fine-tunes of
the base in the mount. It writes the same things below both, and prints what
the mount must hold, for writers_common.sh to account for:

    wrote NAME ORIGINAL    has these bytes and becomes a container
    keeps NAME ORIGINAL    has these bytes

The first difference ends it with status 1 and a sentence.
"""
import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

MOUNT, PLAIN, TUNE, NEXT = (Path(argument).absolute() for argument in sys.argv[1:5])
BOTH = (PLAIN, MOUNT)
os.environ.setdefault("TQDM_DISABLE", "1")


def fail(sentence):
    sys.exit(f"DIFFERS: {sentence}")


def versions(*names):
    print("client:", ", ".join(f"{name} {metadata.version(name)}" for name in names), flush=True)


def wrote(name, original=None, word="wrote"):
    """MOUNT/@name is PLAIN/@name, or @original, now and at the end."""
    original = original or PLAIN / name
    if (MOUNT / name).read_bytes() != Path(original).read_bytes():
        fail(f"{name} is not what was written; state {state(name)}")
    print(word, name, original, flush=True)


def keeps(name, original=None):
    wrote(name, original, "keeps")


def state(name):
    try:
        return os.getxattr(MOUNT / name, "user.deltafs.state").decode()
    except OSError as error:
        return str(error)


def settle(*names):
    """Until nothing waits; then @names are containers."""
    done = subprocess.run(["deltafsctl", "wait", "--timeout", "120", MOUNT], capture_output=True, text=True)
    if done.returncode:
        fail(f"wait: {done.stdout}{done.stderr}")
    for name in names:
        if state(name) != "container":
            fail(f"{name} is {state(name)} when nothing waits")
