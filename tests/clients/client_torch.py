# SPDX-License-Identifier: GPL-2.0-or-later
"""torch: UntypedStorage.from_file, the mapping that safetensors makes for torch."""
from check import *
import torch

versions("torch")
for plain, view in pairs():
    size = plain.stat().st_size
    storage = torch.UntypedStorage.from_file(str(view), shared=False, nbytes=size)
    found = torch.frombuffer(storage, dtype=torch.uint8) if size == 0 else torch.empty(0, dtype=torch.uint8).set_(storage)
    same(f"{view}: storage", np.memmap(plain, np.uint8, "r"), found)

    # The mapping is private: writing to it is allowed and stays here.
    found[-1] ^= 0xFF
    evict(view.parent)
    same(f"{view}: after a private write", plain.read_bytes()[-1:], view.read_bytes()[-1:])

    # Asking for more than the file has is refused, not padded.
    try:
        torch.UntypedStorage.from_file(str(view), shared=False, nbytes=size + 1)
    except RuntimeError:
        continue
    fail(f"{view}: torch mapped more than {size} bytes")
done()
