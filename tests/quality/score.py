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
    """Points that models lose against others, all on the same texts.

    @trainings: of each training its pairs of answers: one, or some that differ in a mask or a dtype, which are no
    trainings of their own. The error of the mean has two parts, each a standard error, and is the root of the sum of
    their squares: over the texts (each one's loss is averaged over all models first), and over the trainings (each
    one's loss is averaged over its models first; over the models, if there is one training only)."""

    def __init__(self, trainings):
        lost = [numpy.array([100.0 * (before.astype(float) - after) for before, after in pairs]) for pairs in trainings]
        means = [float(rows.mean()) for rows in lost]
        self.each = [float(row.mean()) for rows in lost for row in rows]
        self.mean = float(numpy.mean(means))
        self.error_texts = error_of(numpy.mean([rows.mean(axis=0) for rows in lost], axis=0))
        self.error_models = error_of(means if len(means) > 1 else self.each)
        self.error = math.hypot(self.error_texts, self.error_models)
