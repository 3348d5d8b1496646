# SPDX-License-Identifier: GPL-2.0-or-later
"""papers_twists: references that are slightly wrong.

For each codec: what is wrong; with which options that makes a difference; the
name in the reference's module; and from the right thing there to the wrong one.
"""

import numpy as np


def large_first_row(right):
    """The first row of a DCT as large as the others."""
    def matrix(p):
        a = right(p)
        a[0] *= np.sqrt(2)
        return a
    return matrix


def last_by_step(right):
    """What comes near to the average s, and is not it."""
    def rates(deviations, sizes, s, step):
        rates = right(deviations, sizes, s, step)
        return np.where(rates < s, s - step, rates)
    return rates


TWISTS = {
    "bitdelta": [
        ("scales one F16 step off", {}, "f16_times", lambda right:
         lambda means, exponent: right(means, exponent) * (1 + 2.0 ** -10)),
        ("root mean square for the mean", {}, "mean_magnitude", lambda right:
         lambda values, scale: np.sqrt(right(values ** 2, scale))),
        ("zero counts as negative", {}, "signs", lambda right:
         lambda values: np.where(values > 0, 1.0, -1.0)),
        ("a scale for each row", {"scale": ["scalar"]}, "AXIS", lambda right:
         dict(right, scalar=1)),
    ],
    "delta-dct": [
        ("no root of 1/2 in the DCT's first row", {}, "dct_matrix", large_first_row),
        ("the DCT of a patch turned over", {}, "dct_matrix", lambda right:
         lambda p: right(p)[:, ::-1]),
        ("no scale for the mean magnitude", {}, "total", lambda right: lambda values: 1.0),
        # of patches that are almost right, both scales are almost 1
        ("root of the sum of squares for the scale", {"p": ["8", "16"]}, "total", lambda right:
         lambda values: np.sqrt((values ** 2).sum())),
        ("patches ranked by their largest difference", {}, "importance", lambda right:
         lambda patches: np.abs(patches).max((1, 2))),
        ("nothing for a patch of no bits", {}, "mean_of", lambda right:
         lambda patches, inside: 0 * right(patches, inside)),
        ("a mean of chance for one of the fine-tune", {"levels": ["lloyd"]}, "without_chance", lambda right:
         lambda means, norms, inside: means),
        ("levels 1/8192 off", {"levels": ["lloyd"]}, "levels_of", lambda right:
         lambda bits: right(bits) + np.sign(right(bits)) / 8192),
    ],
    "ultradelta": [
        ("no 1 / (1 - s)", {}, "gain_of", lambda right: lambda s, rate, rescale: 1.0),
        ("s for the rate", {"rescale": ["layer"]}, "gain_of", lambda right:
         lambda s, rate, rescale: right(s, rate, "global")),
        ("the rate for s", {"rescale": ["global"]}, "gain_of", lambda right:
         lambda s, rate, rescale: right(s, rate, "layer")),
        ("thirds of the matrices, not of their values", {}, "rates_of", lambda right:
         lambda deviations, sizes, s, step: right(deviations, [1] * len(sizes), s, step)),
        ("the large deviations leave out more", {}, "rates_of", lambda right:
         lambda deviations, sizes, s, step: right(-deviations, sizes, s, step)),
        ("s - step for the last third", {}, "rates_of", last_by_step),
        ("2^b steps between the extremes", {"levels": ["uniform"]}, "uniform_levels", lambda right:
         lambda low, high, bits: low + np.arange(2 ** bits) / 2 ** bits * (high - low)),
        ("zeros count as pruned twice", {"mask": ["stored"], "levels": ["uniform"]}, "prune_share",
         lambda right: lambda rate, zeros: rate),
        ("a trace norm of the Frobenius norm's bound", {}, "estimated_norm", lambda right:
         lambda squares, shape: right(squares, shape) * 3 * np.pi / 8),
    ],
    "delta-come": [
        ("the root of S", {}, "multiply", lambda right: lambda u, s, v: right(u, np.sqrt(s), v)),
        ("without the last column", {}, "multiply", lambda right:
         lambda u, s, v: right(u[:, :-1], s[:-1], v[:, :-1])),
        ("a budget for U alone", {}, "PAPER_BITS", lambda right: 2 * right),
        ("columns of 2 bits as the paper's of 8", {}, "BITS", lambda right: (2, 3, 8)),
    ],
}
