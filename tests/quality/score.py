# SPDX-License-Identifier: GPL-2.0-or-later
"""score: which of the texts held out a model gets right, and how two models compare text by text."""
import math

import numpy

from tasks import batch_of
from train import pause

BATCH = 128


def answers(model_dir, task, pad):
    """right[i]: is text i's label the one that the model of this directory gives, as transformers loads it."""
    import torch
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(model_dir, dtype=torch.float32).eval()
    order = sorted(range(len(task.held)), key=lambda i: len(task.held[i][0]))
    right = numpy.zeros(len(order), dtype=bool)
    with torch.inference_mode():
        for at in range(0, len(order), BATCH):
            pause()
            chosen = order[at:at + BATCH]
            batch, labels = batch_of([task.held[i] for i in chosen], pad)
            right[chosen] = (model(**batch).logits.argmax(-1) == labels).numpy()
    return right


def error_of(values):
    """Standard error of a mean."""
    return float(numpy.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0


class Loss:
    """Points that models lose against others, all on the same texts: pairs of answers, one of each training.

    The error of the mean is the larger one of two: over texts (each text's loss is averaged over the pairs first), and
    over the pairs, if there are several."""

    def __init__(self, pairs):
        lost = numpy.array([100.0 * (before.astype(float) - after) for before, after in pairs])
        self.each = [float(row.mean()) for row in lost]
        self.mean = float(lost.mean())
        self.error_texts = error_of(lost.mean(axis=0))
        self.error_pairs = error_of(self.each)
        self.error = max(self.error_texts, self.error_pairs)
