# SPDX-License-Identifier: GPL-2.0-or-later
"""runai-model-streamer: a descriptor per thread, fstat, lseek and reads of 2 MiB, all shards at once."""
from check import *
from runai_model_streamer import SafetensorsStreamer

versions("runai-model-streamer")
SKIP = ["odd.safetensors"]          # holds dtypes that the streamer does not know
for folder in sorted({plain.parent for plain, _ in pairs(without=SKIP)}):
    expected = {}
    for plain in folder.glob("*.safetensors"):
        if plain.name not in SKIP:
            expected.update(raw_tensors(plain))
    files = [str(view) for plain, view in pairs(without=SKIP) if plain.parent == folder]
    with SafetensorsStreamer() as streamer:
        streamer.stream_files(files)
        seen = []
        for name, tensor in streamer.get_tensors():
            same(f"{folder}: {name}", expected[name], tensor)
            seen.append(name)
    same_value(f"{folder}: names", sorted(expected), sorted(seen))
done()
