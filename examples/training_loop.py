#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""training_loop: a training run that keeps its last checkpoints in a mount.

    training_loop.py [--checkpoints N] [--keep N] [DIRECTORY]

DIRECTORY is in a read-write mount of deltafs; without it a fresh store is made,
mounted, and removed in the end. What is trained is one matrix of 262,144 weights,
to do what another one does. Checkpoints come as trainers make them (Trainer of
transformers, with save_total_limit): into a directory under another name, renamed
when it is whole, then the oldest goes. Nothing in the loop knows of deltafs.
Needs Python alone.
"""
import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

sys.dont_write_bytecode = True
from toy_model import write

SIZE, ACTIVE, STEPS = 512, 32, 40


class Training:
    """Least squares on inputs of which @ACTIVE are not zero, one at a time."""

    def __init__(self):
        self.rng = random.Random(1)
        self.wanted = [[self.rng.gauss(0, 0.02) for _ in range(SIZE)] for _ in range(SIZE)]
        self.weights = [[w + self.rng.gauss(0, 0.001) for w in row] for row in self.wanted]
        self.step = 0

    def run(self, steps):
        """The mean loss of these steps."""
        total = 0.0
        for _ in range(steps):
            active = self.rng.sample(range(SIZE), ACTIVE)
            for row, wanted in zip(self.weights, self.wanted):
                error = sum(row[i] - wanted[i] for i in active)
                total += error * error
                for i in active:
                    row[i] -= 0.5 * error / ACTIVE
            self.step += 1
        return total / steps / SIZE


def save(training, loss, directory):
    """One checkpoint; the hash of its model."""
    new = directory / f"tmp-checkpoint-{training.step}"
    new.mkdir()
    write(new / "model.safetensors", {"weight": [w for row in training.weights for w in row]}, {"weight": (SIZE, SIZE)})
    (new / "trainer_state.json").write_text(json.dumps({"step": training.step, "loss": loss}))
    new.rename(directory / f"checkpoint-{training.step}")
    return hashed(directory / f"checkpoint-{training.step}")


def hashed(checkpoint):
    return hashlib.sha256((checkpoint / "model.safetensors").read_bytes()).hexdigest()


def loop(directory, checkpoints, keep):
    training, kept = Training(), {}
    for _ in range(checkpoints):
        loss = training.run(STEPS)
        kept[training.step] = save(training, loss, directory)
        for step in sorted(kept)[:-keep]:
            shutil.rmtree(directory / f"checkpoint-{step}")
            del kept[step]
        print(f"step {training.step}: loss {loss:.3g}, checkpoints {', '.join(map(str, kept))}", flush=True)
    return kept


def remove(directory):
    """A daemon that was at work goes on for a moment."""
    for _ in range(50):
        shutil.rmtree(directory, ignore_errors=True)
        if not directory.exists():
            return
        time.sleep(0.2)
    shutil.rmtree(directory)


@contextmanager
def mounted():
    """A directory in a fresh mount."""
    tools = Path(__file__).resolve().parent.parent / "build" / "mount-tools"
    os.environ["PATH"] += f":{tools}"
    work = Path(tempfile.mkdtemp(prefix="deltafs-example.", dir=os.environ.get("TMPDIR", "/var/tmp")))
    store, mount = work / "store", work / "mnt"
    try:
        store.mkdir()
        mount.mkdir()
        subprocess.run(["deltafs", "-o", "quiet=0", store, mount], check=True)
        yield mount
    finally:
        if os.path.ismount(mount):
            subprocess.run(["fusermount3", "-uz", mount], check=True)
        remove(work)


def report(directory, kept):
    subprocess.run(["deltafsctl", "wait", directory], check=True)
    for step, digest in kept.items():
        if hashed(directory / f"checkpoint-{step}") != digest:
            sys.exit(f"checkpoint {step} is not what was saved")
    print("what is there is what was saved", flush=True)
    # What the last ones were coded against is gone from the directory; the store keeps it as long as they need it.
    for command in (["deltafsctl", "ls", directory], ["deltafsctl", "base", "list", directory],
                    ["deltafsctl", "status", directory]):
        print("$", *command, flush=True)
        subprocess.run(command, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoints", type=int, default=8)
    parser.add_argument("--keep", type=int, default=2)
    parser.add_argument("directory", type=Path, nargs="?")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if given.directory:
        report(given.directory, loop(given.directory, given.checkpoints, given.keep))
        return
    with mounted() as directory:
        report(directory, loop(directory, given.checkpoints, given.keep))


if __name__ == "__main__":
    main()
