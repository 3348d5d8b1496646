# SPDX-License-Identifier: GPL-2.0-or-later
"""parts: what was measured of one fine-tune, as a file, so that a run may take several sittings, and machines.

A part has a row of every method that was measured and, text by text, what was answered right: losses of several
trainings are then taken together as if all had been measured at once. Where a part lacks a method, that one is
measured, if the fine-tune is the very one. What it was measured by and on is in it, so that a table of parts that lack
nothing needs no model and no text.
"""
import base64
import json
import sys

import numpy

VERSION = 2


def packed(right):
    return base64.b64encode(numpy.packbits(right).tobytes()).decode()


def unpacked(text, n):
    return numpy.unpackbits(numpy.frombuffer(base64.b64decode(text), dtype=numpy.uint8), count=n).astype(bool)


class Part:
    """Of one fine-tune: rows, and right[method] text by text; "" is the unchanged one. @texts: see Task.told()"""

    def __init__(self, task, kind, seed, steps):
        self.key = task, kind, seed
        self.steps = steps
        self.texts = None
        self.model = None  # hash of the fine-tune's file
        self.by = []
        self.rows = []
        self.right = {}

    def lacks(self, methods):
        return [method for method in methods if method.name not in self.right]

    def took(self, wanted):
        """Without the methods that a run is not about."""
        names = {method.name for method in wanted}
        return ([row for row in self.rows if row["method"] in names],
                {(*self.key, name): right for name, right in self.right.items() if not name or name in names})


class Parts:
    """Of a directory; None: there are none, and none are kept."""

    def __init__(self, root):
        self.root = root

    def path(self, task, kind, seed):
        return self.root / f"{task}-{kind.replace(' ', '-')}-{seed}.json"

    def load(self, task, kind, seed, steps):
        """What there is of it; sys.exit() if it was trained for another number of steps."""
        part = Part(task, kind, seed, steps)
        if self.root is None or not self.path(*part.key).exists():
            return part
        path = self.path(*part.key)
        read = json.loads(path.read_text())
        if read.get("version") != VERSION:
            sys.exit(f"quality: {path}: version {read.get('version')}, not {VERSION}")
        if read["steps"] != steps:
            sys.exit(f"quality: {path}: of {read['steps']} steps of training, not {steps}")
        part.texts, part.model, part.by, part.rows = read["texts"], read["model"], read["by"], read["rows"]
        part.right = {method: unpacked(text, part.texts["held"]) for method, text in read["right"].items()}
        return part

    def save(self, part):
        if self.root is None:
            return
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.path(*part.key)
        new = path.with_name(f".new-{path.name}")
        new.write_text(json.dumps({"version": VERSION, "by": part.by, "steps": part.steps, "texts": part.texts,
                                   "model": part.model, "rows": part.rows,
                                   "right": {method: packed(right) for method, right in part.right.items()}},
                                  indent=1) + "\n")
        new.rename(path)
