# SPDX-License-Identifier: GPL-2.0-or-later
"""papers_twists: references that are slightly wrong.

For each codec: what is wrong; with which options that makes a difference; the
name in the reference's module; and from the right thing there to the wrong one.
"""

import numpy as np


TWISTS = {
    "bitdelta": [
        ("scales one F16 step off", {}, "f16_times", lambda right:
         lambda means, exponent: right(means, exponent) * (1 + 2.0 ** -10)),
        ("root mean square for the mean", {}, "mean_magnitude", lambda right:
         lambda values, scale: np.sqrt(right(values ** 2, scale))),
        ("zero counts as negative", {}, "signs", lambda right: lambda values: np.where(values > 0, 1.0, -1.0)),
        ("a scale for each row", {"scale": ["scalar"]}, "AXIS", lambda right: dict(right, scalar=1)),
    ],
}
