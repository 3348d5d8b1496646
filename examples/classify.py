#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""classify: what a model makes of sentences.

    classify.py MODEL_DIR [SENTENCE...]

Without a sentence they are read from the standard input, one a line.
"""
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"


def sentences():
    if len(sys.argv) > 2:
        yield from sys.argv[2:]
        return
    if sys.stdin.isatty():
        print("a definition a line; end with Ctrl-D", flush=True)
    for line in sys.stdin:
        if line.strip():
            yield line.strip()


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.strip())
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
    model = AutoModelForSequenceClassification.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
    for sentence in sentences():
        inputs = tokenizer(sentence, truncation=True, max_length=64, return_tensors="pt")
        with torch.inference_mode():
            likely = model(**inputs).logits.softmax(-1)[0].topk(3)
        guesses = [f"{model.config.id2label[i]} {p:.0%}"
                   for p, i in zip(likely.values.tolist(), likely.indices.tolist())]
        print(f"{sentence}\n    {', '.join(guesses)}", flush=True)


if __name__ == "__main__":
    main()
