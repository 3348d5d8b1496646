# SPDX-License-Identifier: GPL-2.0-or-later
"""paper_numbers: what the references written from the papers share.

Everything is in 64-bit floats. What the codecs do in F32 differs from that by
roundings, each of which is at most U of its result: references count them, and
give back beside each difference how far the codec's may be from it.
"""

import json
import struct

import numpy as np

import read_container
from container_values import DTYPES

U = 2.0 ** -24  # largest relative error of rounding once to F32

NUMPY = {"F16": "<f2", "F32": "<f4"}
MANTISSA = {"F16": 10, "BF16": 7, "F32": 23}
LEAST_EXPONENT = {"F16": -14, "BF16": -126, "F32": -126}  # of a normal number


# Values

def to_double(raw, dtype):
    if dtype == "BF16":
        return (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4").astype(np.float64)
    return np.frombuffer(raw, NUMPY[dtype]).astype(np.float64)


def to_raw(values, dtype):
    """F32 numbers as bytes of a dtype, rounded to the nearest, ties to even."""
    values = np.asarray(values, np.float32)
    if dtype != "BF16":
        return values.astype(NUMPY[dtype]).tobytes()
    words = values.view(np.uint32).astype(np.uint64)
    return ((words + 0x7fff + (words >> 16 & 1)) >> 16).astype("<u2").tobytes()


def half_step(values, dtype):
    """The most by which numbers of a dtype are off that were rounded to these values: half of
    the distance to the next."""
    least = LEAST_EXPONENT[dtype]
    exponent = np.where(values == 0, least, np.maximum(np.frexp(values)[1] - 1, least))
    return np.ldexp(1.0, exponent - MANTISSA[dtype] - 1)


# What was found

class Checks:
    """Errors as shares of what they may be, by what was compared."""

    def __init__(self):
        self.worst, self.failed, self.compared = {}, [], 0

    def within(self, what, error, bound, where=""):
        error, bound = np.broadcast_arrays(np.abs(np.asarray(error, np.float64)), bound)
        if not error.size:
            return
        share = np.where(error > 0, np.inf, error)  # NaN stays
        np.divide(error, bound, out=share, where=bound > 0)
        share = np.where(np.isnan(share), np.inf, share)
        self.compared += error.size
        self.worst[what] = max(self.worst.get(what, 0.0), share.max())
        if share.max() > 1:
            at = np.unravel_index(share.argmax(), share.shape)
            self.failed.append("%s %s: %d of %d are off, number %s by %g, allowed %g" % (
                where, what, np.count_nonzero(share > 1), share.size, tuple(map(int, at)),
                error[at], bound[at]))

    def equal(self, what, got, want, where=""):
        self.within(what, np.subtract(got, want, dtype=np.float64), 0.0, where)


# Files

def read_safetensors(path):
    """{name: (dtype, shape, where its bytes begin in the file, bytes)}"""
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8:start]).items():
        first, end = (start + off for off in entry["data_offsets"])
        tensors[name] = (entry["dtype"], entry["shape"], first, data[first:end])
    return tensors


class Tensor:
    """A matrix that a container gives up bits of: W0, W, what it decodes to, how it is stored."""

    parsed = None  # what a reference has read of it: slow, and the same for wrong ones


def read_metadata(container):
    """A container's bytes, and what its metadata block says."""
    raw = read_container.read_file(container)
    block = read_container.find_superblock(raw)
    off = block["meta_off"]
    meta = read_container.parse_metadata(block, raw[off:off + block["meta_len"]])
    read_container.check_relations(block, meta)
    return raw, meta


def read_tensors(codec, base, tune, container, decoded):
    """All matrices of a container, which must be stored by this codec; paths of files."""
    base, tune, decoded = (read_safetensors(path) for path in (base, tune, decoded))
    raw, meta = read_metadata(container)
    segments = {segment.off: segment for segment in meta["segments"] if segment.len}
    found = []
    for name, (dtype, shape, off, data) in tune.items():
        if len(shape) < 2:
            continue
        tensor, segment = Tensor(), segments[off]
        if (segment.len, DTYPES[segment.dtype][0], segment.cols) != (len(data), dtype, shape[-1]):
            raise ValueError(name + ": not one segment")
        tensor.name, tensor.dtype, tensor.cols = name, dtype, shape[-1]
        tensor.rows = segment.len // segment.unit // tensor.cols
        tensor.shape = (tensor.rows, tensor.cols)
        # a prediction is of the fine-tune's dtype
        weights = to_raw(to_double(base[name][3], base[name][0]), dtype)
        tensor.base = to_double(weights, dtype).reshape(tensor.shape)
        tensor.tune = to_double(data, dtype).reshape(tensor.shape)
        tensor.decoded = to_double(decoded[name][3], dtype).reshape(tensor.shape)
        read_chunks(tensor, segment, meta, raw, codec)
        found.append(tensor)
    return found


def read_chunks(tensor, segment, meta, raw, codec):
    tensor.table = read_container.find_table(meta, segment, codec)
    tensor.chunks = []  # number of its first value, how many there are, payload
    chunks = meta["chunks"][segment.first_chunk:segment.first_chunk + segment.n_chunks]
    for chunk, (off, length) in zip(chunks, segment.cuts):
        if chunk.codec != codec:
            raise ValueError("%s: a chunk of codec %d, not %d" % (tensor.name, chunk.codec, codec))
        tensor.chunks.append(((off - segment.off) // segment.unit, length // segment.unit,
                              raw[chunk.off:chunk.off + chunk.len]))
