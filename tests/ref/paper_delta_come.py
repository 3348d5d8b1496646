# SPDX-License-Identifier: GPL-2.0-or-later
"""paper_delta_come: Delta-CoMe as its paper has it, in 64-bit floats.

B. Ping et al.: Delta-CoMe: Training-Free Delta-Compression with Mixed-Precision
for Large Language Models. NeurIPS 2024; code thunlp/Delta-CoMe.

    D = W - W0 = U S V^T,  W^ = W0 + U' S' V'^T

with the first columns of U and V quantised to 8 bits, some more to 3, the rest
to 2, and the others left out. For D of m x n the budget is
(m + n) sum(columns x bits) = m n 16 / ratio bits; the paper's code has 2 columns
of 8 bits, 32 of 3 and 968 of 2 where that is 2048 for each row of U and V.
Quantisation is asymmetric, from the least to the greatest of a row's group of
128 and zero; the paper then lets GPTQ correct what rounding does to a
calibration set, which there is none of here.

deltafs, deltafs-codecs(7), rounds to nearest and refits each factor to the
other's rounding. So it need not have the paper's factors, and is held to:
  - values: those of the stored factors, multiplied in doubles.
  - columns: the budget, but for what a row's last byte and the rounding of column
    counts leave; the paper's proportions.
  - the error ||D - U' S' V'^T||: not below that of the best matrix of the rank
    (Eckart, Young), and not above that of the paper's quantisation without GPTQ
    of the paper's columns.
"""

import math
import struct

import numpy as np

import container_come
from paper_numbers import U

CODEC = 19
DEFAULTS = {"ratio": "16", "group": "128", "rounds": "2"}
BITS = (8, 3, 2)
PAPER_COLUMNS, PAPER_BITS = (2, 32, 968), 2048

# Squares of singular values that F32 cannot tell from zero: half of them, 16 U of
# the largest, is where the codec stops, and as much is what a Gram matrix in F32
# may be wrong by.
FAINT = 32 * U
# Norms of doubles, as a share: 2^-53 for each of a few thousand terms.
DOUBLES = 1e-12
# A step, a length and a least-squares fit in F32, where nothing else is lost.
FIT = 16 * U


def factors_of(tensor):
    """U, s, V as they are stored, and how many columns have 8, 3 and 2 bits."""
    table = container_come.ComeTable(tensor.table, tensor.cols)
    rows = []
    for first, n, payload in tensor.chunks:
        rows += table.factors.rows(payload, n // tensor.cols)
    columns = struct.unpack_from("<3H", tensor.table, 2)
    return np.array(rows), np.array(table.s), np.array(table.v), columns


def multiply(u, s, v):
    return (u * s) @ v.T


def check_columns(columns, tensor, energies, ratio, checks):
    m, n = tensor.shape
    budget = m * n / (m + n) * 16 / ratio
    used = sum(count * bits for count, bits in zip(columns, BITS))
    if sum(columns) >= np.count_nonzero(energies > FAINT * energies[0]):
        # all that there are; what is left of the budget has made them finer
        checks.within("budget", max(0, used - budget), 0.0, tensor.name)
        return
    # not above it; below, by less than the last byte
    checks.within("budget", budget - used - 4, 4, tensor.name)
    # one column of 8 bits at least; those of 3 are even in number
    wanted = [budget / PAPER_BITS * count for count in PAPER_COLUMNS]
    checks.within("columns of 8 bits", columns[0] - max(wanted[0], 1), 0.51, tensor.name)
    checks.within("columns of 3 bits", columns[1] - wanted[1], 1.02, tensor.name)


def quantise(values, bits, group):
    """Rows in groups, from the least to the greatest, zero among them."""
    out = np.empty(values.shape)
    for at in range(0, values.shape[1], group):
        part = values[:, at:at + group]
        low = np.minimum(part.min(1, keepdims=True), 0)
        high = np.maximum(part.max(1, keepdims=True), 0)
        step = np.where(high > low, (high - low) / (2 ** bits - 1), 1)
        out[:, at:at + group] = low + np.rint((part - low) / step) * step
    return out


def quantise_columns(values, columns, group):
    ends = np.cumsum((0,) + tuple(columns))
    return np.hstack([quantise(values[:, a:b], bits, group)
                      for a, b, bits in zip(ends, ends[1:], BITS)])


def check_fit(tensor, made, columns, ratio, group, checks):
    d, where = tensor.tune - tensor.base, tensor.name
    u, s, vt = np.linalg.svd(d, full_matrices=False)
    check_columns(columns, tensor, s ** 2, ratio, checks)
    rank = sum(columns)
    best = math.sqrt((s[rank:] ** 2).sum())
    paper = multiply(quantise_columns(u[:, :rank], columns, group), s[:rank],
                     quantise_columns(vt[:rank].T, columns, group))
    error, whole = np.linalg.norm(d - made), np.linalg.norm(d)
    checks.within("the best of this rank, beside it", best, error + whole * DOUBLES, where)
    checks.within("error, beside the paper's", error,
                  np.linalg.norm(d - paper) + whole * FIT, where)


def reference(tensors, options, checks):
    ratio, group = float(options["ratio"]), int(options["group"])
    return [reference_of(tensor, ratio, group, checks) for tensor in tensors]


def reference_of(tensor, ratio, group, checks):
    if tensor.parsed is None:
        tensor.parsed = factors_of(tensor)
    u, s, v, columns = tensor.parsed
    made = multiply(u, s, v)
    check_fit(tensor, made, columns, ratio, group, checks)
    # two products and a sum for each column, each rounded; a sum of so many terms
    slack = ((1 + U) ** (len(s) + 2) - 1) * (np.abs(u) * s @ np.abs(v).T)
    return made, slack
