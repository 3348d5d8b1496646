# SPDX-License-Identifier: GPL-2.0-or-later
"""mmap: shared read-only mappings, as candle and mistral.rs make them, with every advice."""
import mmap

from check import *

print("client: mmap(2), Python", sys.version.split()[0])
ADVICE = {"none": None, "random": mmap.MADV_RANDOM, "sequential": mmap.MADV_SEQUENTIAL,
          "willneed": mmap.MADV_WILLNEED, "populate_read": 22}


def mapped(path, flags, prot, advice=None):
    with open(path, "rb") as file:
        area = mmap.mmap(file.fileno(), 0, flags=flags, prot=prot)
    if advice is not None:
        area.madvise(advice)
    return area


for plain, view in pairs():
    expected = np.memmap(plain, np.uint8, "r")
    for name, advice in ADVICE.items():
        if BIG and name not in ("none", "populate_read"):
            continue
        evict(view.parent)
        same(f"{view}: shared, advice {name}", expected, mapped(view, mmap.MAP_SHARED, mmap.PROT_READ, advice))
    if BIG:
        continue
    evict(view.parent)
    same(f"{view}: private", expected, mapped(view, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE))
done()
