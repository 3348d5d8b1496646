# SPDX-License-Identifier: GPL-2.0-or-later
"""mlx on the CPU: its own reader, four threads of pread."""
from check import *
import mlx.core as mx

versions("mlx")
mx.set_default_device(mx.cpu)
for plain, view in pairs(without=["odd.safetensors"]):      # mlx knows fewer dtypes than that file has
    expected = raw_tensors(plain)
    found = mx.load(str(view))
    same_value(f"{view}: names", sorted(expected), sorted(found))
    for name, array in found.items():
        same(f"{view}: {name}", expected[name], np.array(array.reshape(-1).view(mx.uint8)))
done()
