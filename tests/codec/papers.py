#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""papers: what containers decode to, against references written from the papers.

    papers.py SPEC BASE TUNE CONTAINER DECODED [TUNE CONTAINER DECODED]...

SPEC is what TUNE was encoded with. Every value of every matrix is compared with
the reference's: it may be off by what rounding it to the dtype costs, and by
what the reference says of the codec's arithmetic. Then the same is done with
references that are slightly wrong (papers_twists.py), which must be found out.
"""

import importlib
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ref"))
sys.dont_write_bytecode = True
from paper_numbers import Checks, half_step, read_tensors  # noqa: E402
from papers_twists import TWISTS  # noqa: E402


ARITHMETIC = "the same less one rounding"


def parse(spec):
    codec, _, text = spec.partition(":")
    module = importlib.import_module("paper_" + codec.replace("-", "_"))
    options = dict(module.DEFAULTS)
    for option in text.split(",") if text else []:
        name, value = option.split("=")
        if name not in options:
            sys.exit("papers: the reference of %s has no option %s" % (codec, name))
        options[name] = value
    return codec, module, options


def share(error, bound):
    """The largest error as a share of its bound, where there is one."""
    return np.max(error / np.where(bound > 0, bound, np.inf), initial=0.0)


def compare(module, tensors, options):
    checks = Checks()
    for tensor, (difference, slack) in zip(tensors, module.reference(tensors, options, checks)):
        error = np.abs(tensor.decoded - (tensor.base + difference))
        # no difference: nothing is added, and nothing rounded
        once = np.where((difference == 0) & (slack == 0), 0.0, half_step(tensor.decoded, tensor.dtype))
        checks.within("values in " + tensor.dtype, error, once + slack, tensor.name)
        checks.worst[ARITHMETIC] = max(checks.worst.get(ARITHMETIC, 0.0), share(error - once, slack))
    return checks


def twisted(module, tensors, options, name, value):
    right = getattr(module, name)
    setattr(module, name, value(right))
    try:
        return compare(module, tensors, options)
    finally:
        setattr(module, name, right)


def main():
    spec, base, paths = sys.argv[1], sys.argv[2], sys.argv[3:]
    codec, module, options = parse(spec)
    tensors = []
    for tune, container, decoded in zip(paths[::3], paths[1::3], paths[2::3]):
        tensors += read_tensors(module.CODEC, base, tune, container, decoded)
    checks = compare(module, tensors, options)
    print("%s: %d numbers in %d matrices" % (spec, checks.compared, len(tensors)))
    for what, worst in checks.worst.items():
        print("    %-32s at most %.3f of what is allowed" % (what, worst))
    for text in checks.failed:
        print("    OFF: " + text)
    failed = bool(checks.failed) or len(tensors) < 2
    for what, applies, name, value in TWISTS[codec]:
        if all(options[key] in values for key, values in applies.items()):
            found = twisted(module, tensors, options, name, value).failed
            print("    wrong on purpose, %s: %s" % (what, "found out" if found else "NOT FOUND OUT"))
            failed |= not found
    return failed


sys.exit(main())
