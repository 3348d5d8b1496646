# SPDX-License-Identifier: GPL-2.0-or-later
"""numpy: memmap read-only and copy-on-write, of the whole file and of one tensor."""
from check import *

versions("numpy")
for plain, view in pairs():
    expected = np.memmap(plain, np.uint8, "r")
    for mode in ("r", "c"):
        evict(view.parent)
        found = np.memmap(view, np.uint8, mode)
        same(f"{view}: memmap {mode}", expected, found)

    # Copy-on-write changes stay in this process.
    found[:] = 0
    same(f"{view}: after writing to a copy", expected, np.memmap(view, np.uint8, "r"))

    if BIG:
        continue
    start, header = raw_header(plain)
    for name, entry in header.items():
        if name != "__metadata__" and entry["data_offsets"][0] < entry["data_offsets"][1]:
            begin, end = entry["data_offsets"]
            found = np.memmap(view, np.uint8, "c", offset=start + begin, shape=(end - begin,))
            same(f"{view}: {name} alone", expected[start + begin:start + end], found)
done()
