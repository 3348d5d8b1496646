# SPDX-License-Identifier: GPL-2.0-or-later
"""tasks: texts with labels, for fine-tunes to learn and to be asked about.

    sections  the archive section of a Debian package from its one-line description (apt-cache dumpavail): 58 classes
    wordnet   WordNet's lexicographer file ("noun.animal") from a definition (Debian's wordnet-base): 45 classes
    packages  the Python package that a docstring is from (what is installed beside torch): 8 classes, for short.sh

Each task is split once, by a seed of its own: whatever is trained, the same texts are held out, and models are
compared text by text. Texts become token ids once.
"""
import ast
import hashlib
import importlib.util
import json
import random
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))
from train_finetune import packages as debian_packages  # noqa: E402

MAX_TOKENS = 64
HELD_OUT = 5000

# lexnames(5WN); not in Debian's package but in this page of it.
LEXNAMES = (
    "adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition "
    "noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object noun.person "
    "noun.phenomenon noun.plant noun.possession noun.process noun.quantity noun.relation noun.shape noun.state "
    "noun.substance noun.time verb.body verb.change verb.cognition verb.communication verb.competition "
    "verb.consumption verb.contact verb.creation verb.emotion verb.motion verb.perception verb.possession verb.social "
    "verb.stative verb.weather adj.ppl").split()

PYTHON_PACKAGES = "diffusers networkx numpy scipy sklearn sympy torch transformers".split()


class Task:
    """Token ids and labels, learnt from and held out."""

    def __init__(self, name, rows, tokenizer, held_out):
        rows = sorted(rows)
        random.Random(1).shuffle(rows)
        held_out = min(held_out, len(rows) // 5)
        self.name = name
        self.classes = sorted({label for _, label in rows})
        number = {label: i for i, label in enumerate(self.classes)}
        ids = tokenizer([text for text, _ in rows], truncation=True, max_length=MAX_TOKENS)["input_ids"]
        coded = [(tokens, number[label]) for tokens, (_, label) in zip(ids, rows)]
        self.held, self.learn = coded[:held_out], coded[held_out:]
        self.digest = hashlib.sha256(json.dumps(self.held).encode()).hexdigest()

    def told(self):
        return {"digest": self.digest, "learn": len(self.learn), "held": len(self.held), "classes": len(self.classes)}


def batch_of(rows, pad):
    """Ids, mask and labels of some rows, as long as the longest of them."""
    import torch

    longest = max(len(tokens) for tokens, _ in rows)
    ids = torch.tensor([tokens + [pad] * (longest - len(tokens)) for tokens, _ in rows])
    mask = torch.tensor([[1] * len(tokens) + [0] * (longest - len(tokens)) for tokens, _ in rows])
    return {"input_ids": ids, "attention_mask": mask}, torch.tensor([label for _, label in rows])


def wordnet_rows(cache):
    """Definitions without their examples; the package is unpacked below @cache, nothing is installed."""
    folder = cache / "wordnet"
    if not (folder / "usr").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "-q", "download", "wordnet-base"], cwd=folder, check=True, capture_output=True)
        (package,) = folder.glob("wordnet-base_*.deb")
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    rows = {}
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / "usr/share/wordnet" / f"data.{part}").read_text().splitlines():
            if not line.startswith(" "):
                fields, gloss = line.split(" | ", 1)
                text = gloss.split('; "', 1)[0].strip()
                rows.setdefault(text, LEXNAMES[int(fields.split(" ", 2)[1])])
    return rows.items()


def docstrings(path):
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            text = ast.get_docstring(node)
            if text and len(text) > 40:
                yield " ".join(text[:80].split())


def package_rows(a_package):
    """@a_package texts of each package, from files in an order that a seed gives."""
    rows = {}
    for name in PYTHON_PACKAGES:
        (root,) = importlib.util.find_spec(name).submodule_search_locations
        paths = sorted(path for path in Path(root).rglob("*.py") if "test" not in str(path.relative_to(root)))
        random.Random(1).shuffle(paths)
        texts = {}
        for path in paths:
            texts.update(dict.fromkeys(docstrings(path)))
            if len(texts) >= a_package:
                break
        for text in list(texts)[:a_package]:
            rows.setdefault(text, name)
    return rows.items()


def load(name, tokenizer, cache, held_out=HELD_OUT):
    if name == "sections":
        rows = debian_packages()
    elif name == "wordnet":
        rows = wordnet_rows(cache)
    elif name == "packages":
        rows = package_rows(400)
    else:
        sys.exit(f"quality: no task \"{name}\": sections wordnet packages")
    return Task(name, rows, tokenizer, held_out)
