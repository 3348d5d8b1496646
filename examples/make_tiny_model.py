#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make_tiny_model: how examples/tiny-model was made.

    make_tiny_model.py --base MODEL_DIR --work DIR --out examples/tiny-model [--ctl deltafsctl]

A fine-tune of all-MiniLM-L6-v2 that says of a definition which of WordNet's 45 lexicographer files it is from
("noun.animal", "verb.motion"): all layers and a new head, not the embeddings, in BF16; texts and recipe are those of
tests/quality, 5,000 of the texts are held out. What goes to --out is a container by ultradelta, which gives up all but
0.12 bits of a linear layer's weight; all else in it is exact, and what equals the base takes nothing.

Needs torch, transformers and safetensors, and apt's lists: WordNet is Debian's wordnet-base. The same seed gives
the same model on the same machine.
"""
import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/quality"))
MOST = 1 << 20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--base", type=Path, required=True, help="directory of the base model")
    parser.add_argument("--work", type=Path, required=True, help="the plain fine-tune is kept here and used again")
    parser.add_argument("--out", type=Path, required=True, help="where the container and its config.json go")
    parser.add_argument("--ctl", default="deltafsctl", help="the program (%(default)s)")
    parser.add_argument("--codec", default="ultradelta", help="SPEC of deltafsctl encode (%(default)s)")
    parser.add_argument("--steps", type=int, default=1000, help="steps of training (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the data's order and of dropout (%(default)s)")
    return parser.parse_args()


def run(*words):
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


def main():
    args = arguments()
    from transformers import AutoTokenizer, logging

    from score import answers
    from tasks import load
    from train import fine_tune

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(args.base)
    args.work.mkdir(parents=True, exist_ok=True)
    task = load("wordnet", tokenizer, args.work)
    plain = args.work / f"tiny-model-{args.seed}-{args.steps}"
    if not plain.exists():
        fine_tune(args.base, task, "layers", args.seed, args.steps, {"bf16": plain}, tokenizer.pad_token_id)

    args.out.mkdir(parents=True, exist_ok=True)
    container = args.out / "model.safetensors"
    run(args.ctl, "encode", "--yes", "--codec", args.codec, "--base", args.base / "model.safetensors",
        "-o", container, plain / "model.safetensors")
    config = json.loads((plain / "config.json").read_text())
    config.pop("_name_or_path", None)
    (args.out / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")

    decoded = args.work / "tiny-model-decoded"
    shutil.rmtree(decoded, ignore_errors=True)
    shutil.copytree(plain, decoded)
    (decoded / "model.safetensors").unlink()
    run(args.ctl, "decode", "--base", args.base / "model.safetensors", "-o", decoded / "model.safetensors", container)
    for what, where in (("as trained", plain), ("from the container", decoded)):
        right = answers(where, task, tokenizer.pad_token_id).mean()
        print(f"{what}: right on {right:.1%} of {len(task.held)} texts held out")
    size = container.stat().st_size
    print(f"{container}: {size} bytes, the plain file has {(plain / 'model.safetensors').stat().st_size}")
    sys.exit(f"larger than {MOST} bytes" if size > MOST else 0)


if __name__ == "__main__":
    main()
