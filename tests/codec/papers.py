#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""papers: what containers decode to, against references written from the papers.

    papers.py BASE TUNES RUN...

RUN is a directory: containers in out/, what they decode to in back/, the codec
that made them in the file spec. TUNES has the fine-tunes, all by the same names.
Every value of every matrix is compared with the reference's: it may be off by
what rounding it to the dtype costs, and by what the reference says of the codec's
arithmetic. If there is a file twists, the same is done with references that are
slightly wrong (papers_twists.py), which must be found out.
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
FOUND = {True: "found out", False: "NOT FOUND OUT"}


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
        once = half_step(tensor.decoded, tensor.dtype)
        # no difference: nothing is added, and nothing rounded
        once = np.where((difference == 0) & (slack == 0), 0.0, once)
        checks.within("values in " + tensor.dtype, error, once + slack, tensor.name)
        rest = share(error - once, slack)
        checks.worst[ARITHMETIC] = max(checks.worst.get(ARITHMETIC, 0.0), rest)
    return checks


def twisted(module, tensors, options, name, value):
    right = getattr(module, name)
    setattr(module, name, value(right))
    try:
        return compare(module, tensors, options)
    finally:
        setattr(module, name, right)


def run(base, tunes, path, tried):
    with open(os.path.join(path, "spec")) as file:
        spec = file.read().strip()
    codec, module, options = parse(spec)
    tensors = []
    for name in sorted(os.listdir(os.path.join(path, "out"))):
        tensors += read_tensors(module.CODEC, base, os.path.join(tunes, name),
                                os.path.join(path, "out", name), os.path.join(path, "back", name))
    checks = compare(module, tensors, options)
    print("%s: %d numbers in %d matrices" % (spec, checks.compared, len(tensors)))
    for what, worst in checks.worst.items():
        print("    %-32s at most %.3f of what is allowed" % (what, worst))
    for text in checks.failed:
        print("    OFF: " + text)
    failed = bool(checks.failed) or len(tensors) < 2
    if os.path.exists(os.path.join(path, "twists")):
        failed |= run_twists(codec, module, tensors, options, tried)
    return failed


def run_twists(codec, module, tensors, options, tried):
    failed = False
    for what, applies, name, value in TWISTS[codec]:
        if all(options[key] in values for key, values in applies.items()):
            tried.add((codec, what))
            found = twisted(module, tensors, options, name, value).failed
            print("    wrong on purpose, %s: %s" % (what, FOUND[bool(found)]))
            failed |= not found
    # what is decoded may be wrong too
    one = tensors[0].decoded[5:6, 7:8]
    one += 4 * half_step(one, tensors[0].dtype)
    found = compare(module, tensors, options).failed
    print("    wrong on purpose, one value by two steps: %s" % FOUND[bool(found)])
    return failed or not found


def main():
    base, tunes, paths = sys.argv[1], sys.argv[2], sys.argv[3:]
    tried = set()
    failed = any([run(base, tunes, path, tried) for path in paths])
    # what no options of these runs have tried shows nothing
    for codec in {codec for codec, _ in tried}:
        for what, *_ in TWISTS[codec]:
            if (codec, what) not in tried:
                print("%s: nobody tried: %s" % (codec, what))
                failed = True
    return failed


sys.exit(main())
