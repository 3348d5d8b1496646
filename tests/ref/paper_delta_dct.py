# SPDX-License-Identifier: GPL-2.0-or-later
"""paper_delta_dct: Delta-DCT as its paper has it, in 64-bit floats.

Delta-DCT, arXiv:2503.06676 (no code of the authors is known). D = W - W0 is cut
into p x p patches, zeros beyond its edges. For each tensor:

  1. Patches are ranked by their Frobenius norm; shares of them get the bits of
     classes, the largest norms the most.
  2. C = A P A^T, the orthonormal DCT-II.
  3. levels=minmax, the paper's: c = rint((C - min) / (max - min) (2^b - 1)),
     min and max of the patch. A patch of no bits becomes its mean.
  4. Back by A^T C A, and D^ = D' sum|D| / sum|D'|.

deltafs adds, deltafs-codecs(7) and deltafs-format(5): levels=lloyd, the levels
that are best for a normal variable times the root mean square of the patch's
coefficients; with one bit, +- their mean magnitude. A share's patches end where
the sum of shares so far, times the number of patches that the values would fill,
rounds to; the last class has the rest, so that edges take no more bits than that.
Where they would fill less than four fifths of the patches, it is all of them. With
Lloyd's levels, and where a quarter of that number or more, but for rounding, has
bits, a mean of 64 values or more within three standard errors of zero is zero.

What a container chooses, and is held to:
  - the class of each patch: numbers must be right, and no patch of a lower
    class may have a larger norm, but for norms that F32 cannot tell apart.
  - gains, bounds and means in 8 or 16 bits: each must be the code nearest to
    the number that the formulas give. What it stands for is then used.
  - codes: each must be of the nearest level, but where the coefficient lies as
    near to the middle between two as FFTW in F32 may be wrong.
The scale is the reference's own.
"""

import functools
import math

import numpy as np

import container_dct
from paper_numbers import U, half_step

CODEC = 17
DEFAULTS = {"p": "16", "bits": "2:0.5/0:0.5", "levels": "lloyd", "codes": "8"}


def shares(text):
    """[(bits, share)] by falling bits."""
    pairs = [part.split(":") for part in text.split("/")]
    return sorted(((int(bits), float(share)) for bits, share in pairs), reverse=True)


def dct_matrix(p):
    k, i = np.mgrid[0:p, 0:p]
    factor = np.where(k == 0, math.sqrt(1 / p), math.sqrt(2 / p))
    return factor * np.cos(np.pi * (2 * i + 1) * k / (2 * p))


# Levels of least mean square error for a normal variable (Lloyd, Max)

def density(x):
    return np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def above(x):
    return np.array([0.5 * math.erfc(t / math.sqrt(2)) for t in x])


LLOYD_ROUNDS = 1000  # until Newton's method finds the rest


def lloyd_levels(bits):
    """Of all codes: each is the mean over the values nearest to it."""
    if bits == 1:
        return np.array([-1.0, 1.0])
    n = 2 ** (bits - 1)
    # levels of many bits are as dense as a normal distribution of variance 3
    grid = np.linspace(0, 12, 20001)
    x = np.interp((np.arange(n) + 0.5) / n, 1 - 2 * above(grid / math.sqrt(3)), grid)
    for i in range(LLOYD_ROUNDS + 50):
        t = np.concatenate(([0.0], (x[:-1] + x[1:]) / 2, [40.0]))
        mass, moment = -np.diff(above(t)), -np.diff(density(t))
        if i < LLOYD_ROUNDS:
            x = moment / mass
            continue
        # Newton's method for x mass = moment: its derivative by each limit, which
        # is half of either neighbour
        low, high = (t[:-1] - x) * density(t[:-1]) / 2, (x - t[1:]) * density(t[1:]) / 2
        low[0] = high[-1] = 0
        slope = np.diag(mass + low + high) + np.diag(low[1:], -1) + np.diag(high[:-1], 1)
        step = np.linalg.solve(slope, x * mass - moment)
        x = x - step
        if np.abs(step).max() < 1e-12:
            return np.concatenate((-x[::-1], x))
    raise ArithmeticError("no levels of %d bits" % bits)


@functools.cache
def levels_of(bits):
    """As deltafs-format(5) has them: multiples of 1/8192."""
    return np.rint(lloyd_levels(bits) * 8192) / 8192


# What a container holds

def meaning(table, raw, what):
    """Numbers before units, as deltafs-format(5) says what they stand for."""
    if table.number == 2:
        return np.frombuffer(raw, "<f2").astype(np.float64)
    c = np.frombuffer(raw, "u1").astype(np.float64)
    if what == "mean":
        return np.frombuffer(raw, "i1").astype(np.float64)
    if what == "gain":
        return np.where(c > 0, 2.0 ** ((c - 255) / 16), 0.0)
    size = c % 128
    return np.where(size > 0, 2.0 ** ((2 * size - 254) / 16), 0.0) * np.where(c > 127, -1, 1)


class Patches:
    """Of a tensor, in the order of rows: differences, and by class what is stored."""

    def __init__(self, tensor, p):
        self.table = container_dct.Table(tensor.table)
        self.down, self.across = -(-tensor.rows // p), -(-tensor.cols // p)
        self.classes, numbers, codes = [], {}, {}
        for first, n, payload in tensor.chunks:
            if first % (tensor.cols * p):
                raise ValueError(tensor.name + ": a chunk that begins in a patch")
            rows = n // tensor.cols
            parsed = container_dct.Payload(self.table, -(-rows // p) * self.across, payload)
            self.classes += parsed.classes
            for c, bits in enumerate(self.table.bits):
                count = parsed.classes.count(c)
                for found, start, each in ((numbers, parsed.numbers[c], parsed.numbers_len(bits)),
                                           (codes, parsed.codes[c], parsed.codes_len(bits))):
                    found[c] = found.get(c, b"") + payload[start:start + count * each]
        self.classes = np.array(self.classes)
        self.numbers, self.codes = numbers, codes

    def codes_of(self, c, p):
        bits = self.table.bits[c]
        stream = np.unpackbits(np.frombuffer(self.codes[c], "u1"), bitorder="little")
        return (stream.reshape(-1, bits) @ (1 << np.arange(bits))).reshape(-1, p, p)


def cut(values, p):
    """Patches, zeros beyond the edges."""
    rows, cols = values.shape
    padded = np.pad(values, ((0, -rows % p), (0, -cols % p)))
    down, across = (n // p for n in padded.shape)
    return padded.reshape(down, p, across, p).swapaxes(1, 2).reshape(-1, p, p)


def join(patches, shape):
    p = patches.shape[1]
    down, across = (-(-n // p) for n in shape)
    padded = patches.reshape(down, across, p, p).swapaxes(1, 2).reshape(down * p, across * p)
    return padded[:shape[0], :shape[1]]


# The method

def importance(patches):
    return np.sqrt((patches ** 2).sum((1, 2)))


def mean_of(patches, inside):
    return patches.sum((1, 2)) / inside.sum((1, 2))


def without_chance(means, norms, inside):
    """Standard error of a mean of n: root mean square / sqrt(n), and that is norm / n."""
    n = inside.sum((1, 2))
    return np.where((n >= 64) & (np.abs(means) <= 3 * norms / n), 0, means)


def total(values):
    return np.abs(values).sum()


def counts_of(n, filled, classes):
    ends = np.minimum(np.floor(np.cumsum([share for _, share in classes]) * filled + 0.5), n)
    ends[-1] = n
    return np.diff(ends, prepend=0)


def check_classes(norms, patches, filled, classes, checks, where):
    found = np.bincount(patches.classes, minlength=len(classes))
    checks.equal("patches of each class", found, counts_of(norms.size, filled, classes), where)
    for c in range(len(classes) - 1):
        upper, lower = norms[patches.classes <= c], norms[patches.classes > c]
        if upper.size and lower.size:
            # sums in doubles of F32 differences; the norm is an F32
            over = max(0.0, lower.max() - upper.min())
            checks.within("rank of patches", over, 4 * U * lower.max(), where)


def check_numbers(table, raw, value, unit, what, off, checks, where):
    """value: what was to be stored, known but for off."""
    size, stored = np.abs(value), meaning(table, raw, what)
    off = off + 4 * U * size  # unit, quotient, and F32 on the way
    if table.number == 2:
        checks.within(what + " as F16", stored * unit - value,
                      half_step(stored, "F16") * unit + off, where)
    elif what == "mean":
        checks.within("mean in 8 bits", stored * unit - value, 0.5 * unit + off, where)
    else:
        # steps to the octave, and how many there are
        each, steps = (16, 254) if what == "gain" else (8, 126)
        zero = stored == 0
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.where(zero, 0, each * np.log2(size / unit / np.abs(stored)))
            unsure = np.where(zero, 0, each / math.log(2) * off / size)
        checks.within(what + " in 8 bits", distance, 0.5 + unsure, where)
        checks.within(what + " of zero", np.where(zero, size, 0),
                      unit * 2.0 ** (-(steps + 0.5) / each) + off, where)
        checks.within("sign of a " + what, np.where(stored * value < 0, size, 0), off, where)
    return stored * unit


def fft_error(p, norms):
    """
    How far a coefficient in F32 may be off. N. Higham, Accuracy and Stability of
    Numerical Algorithms, theorem 24.2: an FFT of n points is off by log2(n) eta of
    its norm, with eta below 7 U. Two axes of p, and around each a real transform's
    first and last steps, counted as two more; then factors.
    """
    return (7 * (2 * math.log2(p) + 4) + 4) * U * norms


def check_codes(coefficients, meant, codes, off, checks, where):
    """meant: by patch and code; codes of the nearest level."""
    chosen = np.take_along_axis(meant, codes.reshape(len(codes), -1), 1).reshape(codes.shape)
    best = np.full(codes.shape, np.inf)
    for level in range(meant.shape[1]):
        np.minimum(best, np.abs(coefficients - meant[:, level, None, None]), out=best)
    # compared after a multiplication and an addition in F32, of what is at most this
    size = np.abs(coefficients).max((1, 2)) + np.abs(meant).max(1)
    unsure = (off + 6 * U * size)[:, None, None]
    checks.within("nearest level", np.abs(coefficients - chosen) - best, 2 * unsure, where)
    return chosen


def class_levels(patches, c, coefficients, norms, p, unit, options, checks, where):
    """What the codes of each patch of a class mean."""
    table, bits, raw = patches.table, patches.table.bits[c], patches.numbers[c]
    off = fft_error(p, norms)
    if options["levels"] == "minmax":
        pairs = np.frombuffer(raw, "u1").reshape(-1, 2, table.number)
        low, high = (check_numbers(table, pairs[:, i].tobytes(), extreme(coefficients, axis=(1, 2)),
                                   unit, "bound", off, checks, where)
                     for i, extreme in enumerate((np.min, np.max)))
        return low[:, None] + (high - low)[:, None] * np.arange(2 ** bits) / (2 ** bits - 1)
    # a mean of p^2 magnitudes is off by a p-th of the norm of what these are
    gains, off = (norms / p, 0) if bits > 1 else (np.abs(coefficients).mean((1, 2)), off / p)
    gains = check_numbers(table, raw, gains, unit, "gain", off, checks, where)
    return gains[:, None] * levels_of(bits)


def units_of(table, largest, mean):
    """Of gains and bounds, and of means: 8 bits count from the largest, 16 are below 2^15."""
    if table.number == 1:
        return largest, mean / 127
    return tuple(2.0 ** (math.frexp(x)[1] - 15) if x else 0.0 for x in (largest, mean))


def reference(tensors, options, checks):
    return [reference_of(tensor, options, checks) for tensor in tensors]


def reference_of(tensor, options, checks):
    p, classes, where = int(options["p"]), shares(options["bits"]), tensor.name
    d = tensor.tune - tensor.base
    cells, inside, patches = cut(d, p), cut(np.ones(tensor.shape), p), Patches(tensor, p)
    checks.equal("bits of each class", patches.table.bits, [bits for bits, _ in classes], where)
    norms, means, a = importance(cells), mean_of(cells, inside), dct_matrix(p)
    filled = np.floor(d.size / p ** 2 + 0.5)
    filled = norms.size if filled < 0.8 * norms.size else filled
    check_classes(norms, patches, filled, classes, checks, where)
    of_class = counts_of(norms.size, filled, classes)
    if options["levels"] == "lloyd" and 4 * sum(n for n, (bits, _) in zip(of_class, classes) if bits) + 2 >= filled:
        means = without_chance(means, norms, inside)
    coded = np.array(patches.table.bits)[patches.classes] > 0
    # no gain is above the root mean square, no bound above the root of the sum
    largest = norms[coded].max(initial=0) / (1 if options["levels"] == "minmax" else p)
    unit, mean_unit = units_of(patches.table, largest, np.abs(means[~coded]).max(initial=0))
    made, slack = np.zeros(cells.shape), np.zeros(cells.shape)
    for c, (bits, _) in enumerate(classes):
        of = patches.classes == c
        if not of.any():
            continue
        if bits == 0:
            # a mean is off by what rounding its differences may add up to
            off = U * mean_of(np.abs(cells[of]), inside[of])
            stored = check_numbers(patches.table, patches.numbers[c], means[of], mean_unit, "mean",
                                   off, checks, where)
            made[of] = stored[:, None, None]
            slack[of] = 6 * U * np.abs(made[of])
            continue
        coefficients = a @ cells[of] @ a.T
        meant = class_levels(patches, c, coefficients, norms[of], p, unit, options, checks, where)
        chosen = check_codes(coefficients, meant, patches.codes_of(c, p),
                             fft_error(p, norms[of]), checks, where)
        made[of] = a.T @ chosen @ a
        slack[of] = np.abs(a.T) @ coefficient_slack(chosen, meant, p, options) @ np.abs(a)
    made, slack = join(made, tensor.shape), join(slack, tensor.shape)
    scale = total(d) / total(made)
    # both sums, their quotient as an F32, and what the codec sums up
    unsure = 4 * U + slack.sum() / total(made)
    checks.within("scale", patches.table.scale / scale - 1, unsure, where)
    return made * scale, scale * (slack + np.abs(made) * unsure)


def coefficient_slack(chosen, meant, p, options):
    """
    What the transform back may make of each coefficient, in what it adds to
    differences: it is multiplied by two cosines, each rounded, and both products
    are summed with p others. Before that, it is made of a number (a power, times a
    unit that is an F32 of a norm that is one, times the scale: 6 roundings) and a
    level (1); or of two bounds that may cancel, with three roundings of their
    distance (twice the larger one) and one of the sum.
    """
    lloyd = options["levels"] == "lloyd"
    size = np.abs(chosen) if lloyd else np.abs(meant).max(1)[:, None, None]
    return ((1 + U) ** (2 * (p + 1)) - 1) * np.abs(chosen) + 14 * U * size
