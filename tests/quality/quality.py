#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""quality: what codecs that give up bits leave of real fine-tunes.

Trains, stores every method's files on one base in one store, has transformers read them through the mount, and
compares their answers on texts held out with those of the unchanged fine-tune, text by text. See run.sh.
"""
import argparse
import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

import numpy  # noqa: E402
from bench import machine, note  # noqa: E402
from methods import METHODS, QUICK  # noqa: E402
from parts import Parts  # noqa: E402
from report import check_full, check_quick, markdown, print_summary, summarise  # noqa: E402
from score import Loss, answers, error_of  # noqa: E402
from store import Store, hash_of  # noqa: E402
from tasks import load  # noqa: E402
from train import fine_tune  # noqa: E402

# Every method is measured on the first kind, the main ones on the others.
KINDS = ("full bf16", "full f32", "lora bf16")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tools", type=Path, required=True, help="directory with deltafs and deltafsctl")
    parser.add_argument("--base", type=Path, required=True, help="directory of the base model")
    parser.add_argument("--work", type=Path, required=True, help="trained models are kept here and used again")
    parser.add_argument("--tasks", default="sections,wordnet", help="of tasks.py (%(default)s)")
    parser.add_argument("--seeds", default="0,1,2", help="of training (%(default)s)")
    parser.add_argument("--kinds", default=",".join(KINDS), help="of fine-tunes (%(default)s)")
    parser.add_argument("--steps", type=int, default=600, help="steps of training (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of torch (%(default)s)")
    parser.add_argument("--out", type=Path, help="where results.json, .svg and .md go (the work directory)")
    parser.add_argument("--parts", type=Path, help="measured fine-tunes are kept here, and not measured again")
    parser.add_argument("--main", action="store_true", help="only the methods that every fine-tune gets")
    parser.add_argument("--quick", action="store_true",
                        help="one small task, one seed, 100 steps, a method of each kind, 500 texts")
    args = parser.parse_args()
    if args.quick:
        args.tasks, args.seeds, args.steps = "packages", "0", 100
    args.tasks, args.seeds = args.tasks.split(","), [int(seed) for seed in args.seeds.split(",")]
    args.kinds = KINDS[:1] if args.quick else args.kinds.split(",")
    args.work = args.work.resolve()
    args.out = args.out or args.work
    return args


class Run:
    """One run: what all its parts need."""

    def __init__(self, args):
        self.args = args
        self.methods = [m for m in METHODS if (m.name in QUICK if args.quick else m.main or not args.main)]
        self.kept = Parts(args.parts)
        self.parts = {}  # (task, kind, seed) -> Part
        self.work = []  # (part, methods that are to be measured, directory of the model)
        self.tasks = {}  # with texts, as far as there is work
        self.texts = {}  # task -> what is told of its texts
        self.pad = None
        self.store = None
        self.rows = []
        self.answers = {}  # (task, kind, seed, method or "") -> right or wrong, text by text
        self.by = {"when": time.strftime("%Y-%m-%d"), "machine": machine(), "versions": versions(args)}
        self.refused = {}  # method -> what this build says of it
        self.failures = []

    def model(self, task, kind, seed):
        recipe, dtype = kind.split()
        return self.args.work / "models" / f"{task}-{recipe}-{dtype}-{seed}-{self.args.steps}"

    def wanted(self, kind):
        """Every method of the first kind, the main ones of the others."""
        return [method for method in self.methods if method.main or kind == KINDS[0]]

    def find_work(self):
        """What was measured before is taken as it is; the others are to be measured."""
        for key in itertools.product(self.args.tasks, self.args.kinds, self.args.seeds):
            part = self.parts[key] = self.kept.load(*key, self.args.steps)
            lacking = part.lacks(self.wanted(part.key[1]))
            if lacking:
                self.work.append((part, lacking, self.model(*key)))
        self.work.sort(key=lambda item: item[0].key[2])  # seed by seed: a sitting may end between two

    def load_texts(self):
        """Of the tasks of what is to be measured; what was measured before must be of the same."""
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(self.args.base)
        self.pad = tokenizer.pad_token_id
        for name in dict.fromkeys(part.key[0] for part, _, _ in self.work):
            task = self.tasks[name] = load(name, tokenizer, self.args.work, 500 if self.args.quick else 5000)
            self.texts[name] = task.told()
            print(f"{name}: {len(task.learn)} texts to learn from, {len(task.held)} held out, "
                  f"{len(task.classes)} classes", flush=True)

    def compare_texts(self):
        for (task, kind, seed), part in self.parts.items():
            told = part.texts and self.texts.setdefault(task, part.texts)
            if told and told["digest"] != part.texts["digest"]:
                sys.exit(f"quality: {self.kept.path(task, kind, seed)}: of other texts than the others of {task}, or "
                         "than this machine has; remove it to measure again")

    def train(self):
        (self.args.work / "models").mkdir(parents=True, exist_ok=True)
        keys = [part.key for part, _, _ in self.work]
        recipes = dict.fromkeys((task, kind.split()[0], seed) for task, kind, seed in keys)
        for name, recipe, seed in recipes:
            outs = {kind.split()[1]: self.model(name, kind, seed) for kind in KINDS
                    if kind in self.args.kinds and kind.split()[0] == recipe}
            if not all(out.exists() for out in outs.values()):
                for out in outs.values():
                    shutil.rmtree(out, ignore_errors=True)
                fine_tune(self.args.base, self.tasks[name], recipe, seed, self.args.steps, outs, self.pad,
                          self.args.quick)
        for part, _, model in self.work:
            digest = hash_of(model / "model.safetensors")
            if part.model not in (None, digest):
                sys.exit(f"quality: {self.kept.path(*part.key)}: of another training than {model}; remove it to "
                         "measure again")
            part.model, part.texts = digest, self.texts[part.key[0]]

    def encode(self):
        """Containers of everything; what this build does not have is found out once."""
        sample = self.work[0][2] / "model.safetensors"
        self.store = Store(self.args.tools, self.args.work, self.args.base)
        self.store.find_linears(sample)
        for method in dict.fromkeys(method for _, lacking, _ in self.work for method in lacking):
            refusal = self.store.has(method, sample)
            if refusal:
                self.refused[method.name] = refusal
                print(f"not in this build: {method.name}: {refusal}", flush=True)
        for part, lacking, model in self.work:
            task, kind, seed = part.key
            for method in lacking:
                if method.name in self.refused:
                    continue
                try:
                    figures = self.store.add(model, method)
                except RuntimeError as error:
                    self.failures.append(str(error))
                    print(f"FAILED: {error}", flush=True)
                    continue
                part.rows.append({"task": task, "kind": kind, "seed": seed, "method": method.name,
                                  "summary": method.summary, "family": method.family, "spec": method.spec, **figures})
            note(f"encoded {model.name}")

    def answer(self, task, model_dir):
        """Answers of the model in a directory, and the hash of its file as it is read there. The same bytes get the
        same answers: those of an earlier run are used again."""
        digest = hash_of(model_dir / "model.safetensors")
        kept = self.args.work / "answers" / f"{digest[:32]}-{task.digest[:32]}.npy"
        if not kept.exists():
            kept.parent.mkdir(exist_ok=True)
            numpy.save(kept, answers(model_dir, task, self.pad))
        return numpy.load(kept), digest

    def score(self):
        with self.store.mounted():
            for part, lacking, model in self.work:
                self.score_one(part, lacking, model)

    def score_one(self, part, lacking, model):
        task = self.tasks[part.key[0]]
        plain, digest = self.answer(task, model)
        if not (part.right.setdefault("", plain) == plain).all():
            sys.exit(f"quality: {self.kept.path(*part.key)}: {model} answers otherwise here; remove it to measure again")
        by_name = {method.name: method for method in lacking}
        for row in part.rows:
            if row["method"] not in by_name:
                continue
            mine, shown = self.answer(task, self.store.shown(model, by_name[row["method"]]))
            part.right[row["method"]] = mine
            loss = Loss([[(plain, mine)]])
            row.update(accuracy=100 * float(mine.mean()), accuracy_error=100 * error_of(mine),
                       loss=loss.mean, loss_error=loss.error, same_bytes=shown == digest)
            note("{task:9} {kind:9} {seed} {method:34} {accuracy:6.2f} % right, {loss:+6.2f} +- {loss_error:.2f} lost"
                 .format(**row))
        if not self.failures:
            part.by.append({"methods": list(by_name), **self.by})
            self.kept.save(part)

    def take(self):
        """All that was measured, now or before."""
        for (_, kind, _), part in self.parts.items():
            rows, answers = part.took(self.wanted(kind))
            self.rows += rows
            self.answers.update(answers)


def versions(args):
    import torch
    import transformers

    told = subprocess.run([args.tools / "deltafs", "-V"], capture_output=True, text=True).stdout
    return {"deltafs": told.splitlines()[:1], "python": platform.python_version(), "torch": torch.__version__,
            "transformers": transformers.__version__}


def main():
    args = arguments()
    import torch
    from transformers import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(args.threads)
    run = Run(args)
    run.find_work()
    if run.work:
        run.load_texts()
    run.compare_texts()
    if run.work:
        run.train()
        run.encode()
        run.score()
    run.take()
    summary = summarise(run)
    print_summary(summary)
    musts = (check_quick if args.quick else check_full)(run, summary)
    args.out.mkdir(parents=True, exist_ok=True)
    with open(args.out / "results.json", "w") as file:
        by = [dict(zip(("task", "kind", "seed", "by"), (*part.key, part.by))) for part in run.parts.values()]
        json.dump({"version": 1, **run.by, "parts": by, "steps": args.steps, "seeds": args.seeds, "texts": run.texts,
                   "not_in_this_build": run.refused, "failures": run.failures, "rows": run.rows, "summary": summary,
                   "musts": musts}, file, indent=1)
        file.write("\n")
    if not args.quick:
        from plot import draw

        draw(summary, args.out / "results.svg")
        (args.out / "results.md").write_text(markdown(summary))
    for must in musts:
        print(f"{'pass' if must['met'] else 'FAIL'}  {must['what']}: {must['found']}", flush=True)
    sys.exit(0 if musts and all(must["met"] for must in musts) else 1)


if __name__ == "__main__":
    main()
