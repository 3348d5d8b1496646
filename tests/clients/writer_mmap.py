# SPDX-License-Identifier: GPL-2.0-or-later
"""numpy memmap w+ and r+, one tensor edited through a shared mapping, a lock between two processes."""
import json
import mmap
import shutil
from multiprocessing import get_context

import numpy as np
from writer import *

from filelock import FileLock

versions("numpy", "filelock")
tune, following = (np.fromfile(path, np.uint8) for path in (TUNE, NEXT))


def created(path, data):
    view = np.memmap(path, np.uint8, "w+", shape=data.shape)
    for at in range(0, data.size, 99991):
        view[at:at + 99991] = data[at:at + 99991]
    view.flush()


def overwritten(path, data):
    view = np.memmap(path, np.uint8, "r+")
    view[:] = data[:view.size]
    view.flush()


def tensor_of(path):
    """Offset and size of the last large tensor of a file."""
    with open(path, "rb") as f:
        length = int.from_bytes(f.read(8), "little")
        header = json.loads(f.read(length))
    first, last = max((entry["data_offsets"] for name, entry in header.items() if name != "__metadata__"),
                      key=lambda span: (span[1] - span[0], span))
    return 8 + length + first, last - first


def edited(path):
    """Each value of one tensor changes a little; never written back by hand."""
    at, size = tensor_of(path)
    with open(path, "r+b") as f, open(path, "rb") as other:
        view = mmap.mmap(f.fileno(), 0)
        shown = mmap.mmap(other.fileno(), 0, prot=mmap.PROT_READ)
        for i in range(at, at + size, 64):
            view[i] ^= 1
        if shown[at:at + size] != view[at:at + size] or os.pread(other.fileno(), size, at) != view[at:at + size]:
            fail(f"{path}: who has it mapped or reads it does not see what is written")
        view.close()
        shown.close()


def count(folder, times):
    for _ in range(times):
        with FileLock(folder / "count.lock"):
            number = int((folder / "count").read_text())
            (folder / "count").write_text(f"{number + 1}")


for root in BOTH:
    (root / "map").mkdir()
    created(root / "map/created", tune)
    for name in ("overwritten", "edited", "edited-again"):
        shutil.copy(TUNE, root / "map" / name)
for root in BOTH:
    edited(root / "map/edited-again")
wrote("map/edited-again")
settle("map/created", "map/overwritten", "map/edited", "map/edited-again")
for root in BOTH:
    overwritten(root / "map/overwritten", following)
    edited(root / "map/edited")
    edited(root / "map/edited-again")
for name in ("created", "overwritten", "edited", "edited-again"):
    wrote(f"map/{name}")
if (MOUNT / "map/edited").read_bytes() == TUNE.read_bytes():
    fail("nothing was edited")

(MOUNT / "map/count").write_text("0")
context = get_context("fork")
workers = [context.Process(target=count, args=(MOUNT / "map", 100)) for _ in range(2)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
if (MOUNT / "map/count").read_text() != "200":
    fail(f"two processes under one lock counted to {(MOUNT / 'map/count').read_text()}, not 200")
