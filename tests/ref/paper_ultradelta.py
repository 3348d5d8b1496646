# SPDX-License-Identifier: GPL-2.0-or-later
"""paper_ultradelta: UltraDelta as its paper and its authors' code have it, in 64-bit floats.

arXiv:2505.13563, code xiaohuiwang000/UltraDelta. Of all matrices of a model:

  DAC   D = W - W0;  k = rint((D - min) / (max - min) (2^b - 1)),
        quantised x = min + k / (2^b - 1) (max - min)
  MSA   matrices by rising deviation of x; with the sizes summed up to and with
        each: up to a third of all, s + step is left out; up to two thirds, s;
        of the rest, what makes the average s
  prune with z the share of x that is zero, of each level the share
        max(0, (rate - z) / (1 - z)) of its values goes, whichever
  TNGR  W^ = W0 + gamma / (1 - s) x for what is left

and of what is pruned, W^ = W0. gamma is the ratio of trace norms: of D in the
paper, in the code of x, as it is pruned and multiplied by 1 / (1 - s), which is
about as much of the former for all models of one s. deltafs has it from 1/2 to 1.

deltafs adds, deltafs-codecs(7): mask=seeded, which leaves out whatever the values
are, one difference in each stratum; rescale=layer, 1 / (1 - rate); levels=codebook;
norms that are estimated; a step of at most half of s and half of 1 - s.

What a container chooses, and is held to:
  - places: how many are kept of a matrix must be what the rate says; with
    mask=stored, of each level.
  - codes: of the nearest level, but for what F32 may be wrong by.
  - codebooks: each level must be the mean of the values nearest to it, as far as
    a grid of 2048 points tells these apart. It ends 8 deviations from the mean,
    and all values beyond count as their mean.
"""

import math
import struct
from types import SimpleNamespace

import numpy as np

import container_ultradelta
from paper_numbers import U

CODEC = 18
DEFAULTS = {"s": "0.97", "step": "0.01", "qbits": "4", "mask": "seeded", "levels": "uniform",
            "rescale": "global", "gamma": "1", "nref": "0", "trace": "estimate", "seed": "0"}

GRID = 2048  # points under a codebook, at most 8 deviations around the mean
REACH = 8

# Deviations must differ by so much, or the order of matrices is F32's to say.
APART = 1e-3

# What the estimated norm may be of the norm that the code takes, less its gain,
# where most is left out of values that are not all alike. It counts 8 / (3 pi) of the Frobenius norm times
# the root of the shorter side. Matrices of independent values have from that, if
# square, to all of it, if long; with structure, down to 0.78. Norms of the few
# that are kept vary by 2 % more.
LIKENESS = 0.98 * 0.8488, 1.02 * 0.8488 / 0.78


# The paper

def uniform_levels(low, high, bits):
    return low + np.arange(2 ** bits) / (2 ** bits - 1) * (high - low)


def rates_of(deviations, sizes, s, step):
    step = min(step, s / 2, (1 - s) / 2)
    rates, order, seen, all_values = np.empty(len(sizes)), np.argsort(deviations), 0, sum(sizes)
    first = middle = last = 0
    rest = []
    for i in order:
        seen += sizes[i]
        if 3 * seen <= all_values:
            rates[i], first = s + step, first + sizes[i]
        elif 3 * seen <= 2 * all_values:
            rates[i], middle = s, middle + sizes[i]
        else:
            last += sizes[i]
            rest.append(i)
    rates[rest] = (s * all_values - s * middle - (s + step) * first) / last
    return rates


def prune_share(rate, zeros):
    return max(0.0, (rate - zeros) / (1 - zeros))


def gain_of(s, rate, rescale):
    return 1 / (1 - (rate if rescale == "layer" else s))


def trace_norm(matrix):
    return np.linalg.svd(matrix, compute_uv=False).sum()


# deltafs's estimate of it: as if values were independent

def estimated_norm(squares, shape):
    """squares: mean of the squares of all values, quantised, zeros counted."""
    rows, cols = shape
    return 8 / (3 * math.pi) * math.sqrt(squares * rows * cols * min(rows, cols))


# One matrix

def read_kept(tensor, table):
    """Which values are kept, and their codes."""
    places, codes = [], []
    for first, n, payload in tensor.chunks:
        block = SimpleNamespace(first=first, n=n)
        if table.mask:
            at, payload = container_ultradelta.stored_places(block, payload)
        else:
            at = container_ultradelta.seeded_places(block, table)
        places += [first + place for place in at]
        codes += container_ultradelta.read_codes(table, payload, len(at))
    return np.array(places, np.int64), np.array(codes, np.int64)


class Matrix:
    """A tensor's differences as levels, and what its container keeps of them."""

    def __init__(self, tensor, options, checks):
        self.tensor, self.bits = tensor, int(options["qbits"])
        self.d = (tensor.tune - tensor.base).ravel()
        self.low, self.high = self.d.min(), self.d.max()
        self.table = container_ultradelta.Table(tensor.table)
        self.keep = self.table.keep / 2.0 ** 32
        self.stored = np.array(self.table.levels, np.uint32).view(np.float32).astype(np.float64)
        checks.equal("bits of a code", self.table.bits, self.bits, tensor.name)
        checks.equal("mask", self.table.mask, options["mask"] == "stored", tensor.name)
        if tensor.parsed is None:
            tensor.parsed = read_kept(tensor, self.table)
        self.places, self.codes = tensor.parsed

    def set_levels(self, levels, off):
        """off: how far a value may be from where F32 puts it, beside these levels."""
        self.levels, self.off = levels, off
        limits = (levels[1:] + levels[:-1]) / 2
        self.nearest = np.searchsorted(limits, self.d)
        self.counts = np.bincount(self.nearest, minlength=len(levels))
        # those that may as well be counted elsewhere
        values = np.sort(self.d)
        self.doubtful = (np.searchsorted(values, limits + off, "right") -
                         np.searchsorted(values, limits - off, "left"))

    def deviation(self):
        mean = (self.counts * self.levels).sum() / self.d.size
        return math.sqrt((self.counts * (self.levels - mean) ** 2).sum() / self.d.size)

    def doubt(self):
        """By what share the sum of squares is off if doubtful values have another level."""
        squares = self.levels ** 2
        return (self.doubtful * np.abs(np.diff(squares))).sum() / (self.counts * squares).sum()

    def zeros(self):
        return self.counts[self.levels.astype(np.float32) == 0].sum() / self.d.size


def set_uniform(matrix):
    reach = max(abs(matrix.low), abs(matrix.high))
    # value and least one are F32 (2 U), their distance (2, being up to twice as long);
    # range, quotient and product (6, for the same reason)
    matrix.set_levels(uniform_levels(matrix.low, matrix.high, matrix.bits), 10 * U * reach)


def set_codebook(matrix, gain, checks):
    """The container's levels, if they are those of least squared error for these differences."""
    where, d, levels = matrix.tensor.name, matrix.d, matrix.stored / gain
    low = max(matrix.low, d.mean() - REACH * d.std())
    high = min(matrix.high, d.mean() + REACH * d.std())
    step = (high - low) / (GRID - 1)
    # what lies beyond the grid is taken together with what lies at its end
    for beyond in (d < low + step / 2, d > high - step / 2):
        if beyond.any():
            matrix.d = np.where(beyond, d[beyond].mean(), matrix.d)
    # values become points of the grid, and those the nearest level
    matrix.set_levels(levels, step / 2 + 10 * U * max(abs(matrix.low), abs(matrix.high)))
    checks.within("levels that rise", np.minimum(np.diff(levels), 0), 0.0, where)
    values, limits = np.sort(matrix.d), (levels[1:] + levels[:-1]) / 2
    ends = np.concatenate(([0], np.searchsorted(values, limits), [values.size]))
    for k in range(len(levels)):
        of = values[ends[k]:ends[k + 1]]
        # values near the limits may count here or there: each is so far from the mean
        across = sum(matrix.doubtful[j] * (abs(levels[k] - limits[j]) + 2 * matrix.off)
                     for j in (k - 1, k) if 0 <= j < len(limits))
        checks.within("levels are means", levels[k] - of.mean() if of.size else 0,
                      step / 2 + 4 * U * abs(levels[k]) + across / max(of.size, 1), where)


# The model

def reference(tensors, options, checks):
    s, rescale = float(options["s"]), options["rescale"]
    matrices = [Matrix(tensor, options, checks) for tensor in tensors]
    gamma = struct.unpack_from("<f", tensors[0].table, 20)[0]
    for m in matrices:
        if options["levels"] == "uniform":
            set_uniform(m)
        else:
            set_codebook(m, gamma * gain_of(s, 1 - m.keep, rescale), checks)
    deviations, sizes = np.array([m.deviation() for m in matrices]), [m.d.size for m in matrices]
    gaps = np.diff(np.sort(deviations)) / np.sort(deviations)[1:]
    checks.within("order of deviations is clear", APART / gaps, 1.0)
    rates = rates_of(deviations, sizes, s, float(options["step"]))
    for m, rate in zip(matrices, rates):
        m.rate, m.gain = rate, gain_of(s, rate, rescale)
        check_kept(m, options["mask"], checks)
    gamma = check_gamma(matrices, options, checks)
    return [reference_of(m, gamma, options["levels"], checks) for m in matrices]


def check_kept(m, mask, checks):
    """How many are kept, and that codes are those of the nearest levels."""
    where = m.tensor.name
    checks.within("share that is kept", m.keep - (1 - m.rate), 2.0 ** -33 + 1e-15, where)
    checks.equal("places are all different", len(np.unique(m.places)), len(m.places), where)
    if mask == "seeded":
        # whole values, rounded down
        checks.within("how many are kept", len(m.places) - m.d.size * (1 - m.rate), 1.0, where)
    else:
        share = prune_share(m.rate, m.zeros())
        wanted = m.counts - np.rint(m.counts * share)
        wanted[m.levels.astype(np.float32) == 0] = 0
        doubtful = np.concatenate(([0], m.doubtful)) + np.concatenate((m.doubtful, [0]))
        checks.within("how many of each level are kept",
                      np.bincount(m.codes, minlength=len(m.levels)) - wanted,
                      np.where(doubtful, 1 + doubtful, 0), where)
    kept = m.d[m.places]
    best = np.abs(kept - m.levels[m.nearest[m.places]])
    farther = np.abs(kept - m.levels[m.codes]) - best
    checks.within("nearest level", farther, 2 * m.off, where)


def check_gamma(matrices, options, checks):
    """TNGR; and the estimate of the norm beside the code's."""
    stored_gamma, norm, stored_reference = struct.unpack_from("<fdd", matrices[0].tensor.table, 20)
    if options["trace"] == "exact":
        check_trace(matrices, norm, checks)
    else:
        check_estimate(matrices, options, norm, checks)
    if options["gamma"] == "auto":
        # the first fine-tune is its own reference
        reference = float(options["nref"]) or norm
        checks.equal("reference norm", stored_reference, reference)
        gamma = min(max(reference / norm, 0.5), 1.0)
    else:
        gamma = float(options["gamma"])
    checks.within("gamma", stored_gamma - gamma, U * gamma)
    return gamma


def check_estimate(matrices, options, norm, checks):
    estimate = kept = 0
    for m in matrices:
        share = m.rate if options["mask"] == "seeded" else prune_share(m.rate, m.zeros())
        estimate += estimated_norm((m.counts * m.levels ** 2).sum() / m.d.size, m.tensor.shape)
        left = np.zeros(m.d.size)
        left[m.places] = m.levels[m.codes]
        kept += trace_norm(left.reshape(m.tensor.shape)) / math.sqrt(1 - share)
    checks.within("estimated norm", norm / estimate - 1, 8 * U + max(m.doubt() for m in matrices))
    if options["levels"] == "uniform" and float(options["s"]) >= 0.9:
        checks.within("estimate, beside the trace norm", norm / kept - sum(LIKENESS) / 2, np.ptp(LIKENESS) / 2)


def check_trace(matrices, norm, checks):
    """The paper's. D is rounded to F32, and what is below 1e-8 of the largest singular value may be missed."""
    exact = off = 0
    for m in matrices:
        values = np.linalg.svd(m.d.reshape(m.tensor.shape), compute_uv=False)
        exact += values.sum()
        off += len(values) * 2e-8 * values[0] + U * math.sqrt(len(values)) * np.linalg.norm(m.d)
    checks.within("trace norm", norm - exact, off)


def reference_of(m, gamma, kind, checks):
    """Differences of a matrix, in its shape."""
    wanted = m.levels * m.gain * gamma
    # min and max are F32; a level is between them, and rounded once itself
    off = m.gain * gamma * U * max(abs(m.low), abs(m.high)) + 2 * U * np.abs(wanted)
    checks.within("levels as stored", m.stored - wanted, off, m.tensor.name)
    difference, slack = np.zeros(m.d.size), np.zeros(m.d.size)
    difference[m.places] = wanted[m.codes]
    slack[m.places] = off[m.codes]
    return difference.reshape(m.tensor.shape), slack.reshape(m.tensor.shape)
