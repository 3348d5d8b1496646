# SPDX-License-Identifier: GPL-2.0-or-later
"""parts: what was measured of one fine-tune, as a file, so that a run may take several sittings, and machines.

A part has every method's row and, text by text, what was answered right: losses of several trainings are then taken
together as if all had been measured at once. It is complete or not there. What it was measured by is in it.
"""
import base64
import json
import sys

import numpy


def packed(right):
    return base64.b64encode(numpy.packbits(right).tobytes()).decode()


def unpacked(text, n):
    return numpy.unpackbits(numpy.frombuffer(base64.b64decode(text), dtype=numpy.uint8), count=n).astype(bool)


class Parts:
    """Of a directory; None: there are none, and none are kept."""

    def __init__(self, root):
        self.root = root
        self.written_by = []

    def path(self, task, kind, seed):
        return self.root / f"{task}-{kind.replace(' ', '-')}-{seed}.json"

    def has(self, task, kind, seed):
        return self.root is not None and self.path(task, kind, seed).exists()

    def load(self, task, kind, seed):
        """Its rows, and {(task, kind, seed, method): right}; sys.exit() if it is of other texts."""
        path = self.path(task.name, kind, seed)
        part = json.loads(path.read_text())
        if part["texts"] != task.digest:
            sys.exit(f"quality: {path}: of other texts than are held out here; remove it to measure again")
        self.written_by.append({"part": path.name, **part["by"]})
        answers = {(task.name, kind, seed, method): unpacked(text, len(task.held))
                   for method, text in part["right"].items()}
        return part["rows"], answers

    def save(self, task, kind, seed, rows, answers, by):
        """@answers: of this fine-tune, method -> right; "" is the unchanged one."""
        if self.root is None:
            return
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.path(task.name, kind, seed)
        new = path.with_name(f".new-{path.name}")
        new.write_text(json.dumps({"by": by, "texts": task.digest, "rows": rows,
                                   "right": {method: packed(right) for method, right in answers.items()}}, indent=1) + "\n")
        new.rename(path)
        self.written_by.append({"part": path.name, **by})
