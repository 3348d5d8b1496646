# SPDX-License-Identifier: GPL-2.0-or-later
"""fastsafetensors: its copier without a GPU, O_DIRECT and buffered, 16 threads."""
from check import *
from fastsafetensors import fastsafe_open

versions("fastsafetensors")
for direct in ("1",) if BIG else ("1", "0"):
    os.environ["FASTSAFETENSORS_ODIRECT"] = direct
    evict(VIEW)
    for plain, view in pairs(without=["odd.safetensors"]):  # holds dtypes that it does not know
        expected = raw_tensors(plain)
        with fastsafe_open(str(view), nogds=True, device="cpu") as file:
            same_value(f"{view}: names", sorted(expected), sorted(file.keys()))
            for name in file.keys():
                same(f"{view}: {name}, O_DIRECT {direct}", expected[name], file.get_tensor(name))
done()
