# SPDX-License-Identifier: GPL-2.0-or-later
"""vLLM's way of loading, replayed: eight tensor-parallel ranks, each lazily through every shard, a prefetch beside.

Each rank opens every shard, takes its names in sorted order, gets each whole
tensor and narrows it to its part; meanwhile threads read the files front to
back in blocks of 16 MiB to warm the page cache for all.
"""
import hashlib
import threading
from multiprocessing import get_context

from check import *
import torch
from safetensors import safe_open

versions("safetensors", "torch")
RANKS = 8


def narrowed(tensor, rank):
    if tensor.dim() < 1 or tensor.shape[0] < RANKS:
        return tensor
    part = tensor.shape[0] // RANKS
    return tensor.narrow(0, rank * part, part)


def digests(folder, rank):
    """{name: sha256 of this rank's part}, as one vLLM rank would load them."""
    result = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            for name in sorted(file.keys()):
                part = narrowed(file.get_tensor(name), rank).contiguous()
                result[name] = hashlib.sha256(memoryview(as_bytes(part))).hexdigest()
    return result


def prefetch(folder):
    for path in sorted(folder.glob("*.safetensors")):
        with open(path, "rb", buffering=0) as file:
            while file.read(16 << 20):
                pass


def rank_main(args):
    torch.set_num_threads(1)
    return digests(*args)


def expected_digests(folder, rank):
    """The same from raw bytes: a part is a run of whole rows, so a run of bytes."""
    result = {}
    for path in folder.glob("*.safetensors"):
        _, header = raw_header(path)
        for name, raw in raw_tensors(path).items():
            shape = header[name]["shape"]
            if shape and shape[0] >= RANKS:
                part = shape[0] // RANKS * (raw.size // shape[0])
                raw = raw[rank * part:(rank + 1) * part]
            result[name] = hashlib.sha256(raw).hexdigest()
    return result


for name in ("sharded", "big"):
    if not (PLAIN / name).is_dir():
        continue
    evict(VIEW)
    # The ranks are forked before any thread is started here.
    with get_context("fork").Pool(RANKS) as pool:
        loading = pool.map_async(rank_main, [(VIEW / name, rank) for rank in range(RANKS)], chunksize=1)
        warmers = [threading.Thread(target=prefetch, args=(VIEW / name,)) for _ in range(2)]
        for warmer in warmers:
            warmer.start()
        for rank, found in enumerate(loading.get()):
            for tensor, digest in expected_digests(PLAIN / name, rank).items():
                same(f"{name}: rank {rank}: {tensor}", digest.encode(), found[tensor].encode())
        for warmer in warmers:
            warmer.join()
done()
