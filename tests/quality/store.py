# SPDX-License-Identifier: GPL-2.0-or-later
"""store: one store on one base, its containers, what they take, and a mount of it."""
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from methods import make_baseline

LOSSY = ("bitdelta", "delta-dct", "ultradelta", "delta-come")


def directory(text):
    """A method's name as that of a directory."""
    return re.sub(r"[^a-z0-9.=-]+", "_", text.lower())


class Store:
    def __init__(self, tools, work, base):
        self.ctl, self.daemon = Path(tools) / "deltafsctl", Path(tools) / "deltafs"
        self.root, self.view, self.work = work / "store", work / "mnt", work
        self.base = self.root / "base/model.safetensors"
        shutil.rmtree(self.root, ignore_errors=True)
        self.base.parent.mkdir(parents=True)
        self.view.mkdir(exist_ok=True)
        shutil.copyfile(base / "model.safetensors", self.base)
        self.run("base", "add", self.root, self.base.parent)
        self.linears = None

    def run(self, *words):
        done = subprocess.run([self.ctl, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(f"deltafsctl {' '.join(map(str, words))}: {done.stderr.strip()}")
        return done.stdout

    def has(self, method, sample):
        """Whether this build has the codec and its options: None, or what it says against them."""
        out = self.work / "refused.safetensors"
        try:
            self.run("encode", "--yes", "--codec", method.spec, "--base", self.base, "-o", out, sample)
        except RuntimeError as error:
            if "--codec" in str(error).split(": ", 1)[1]:
                return str(error).split("--codec: ", 1)[-1].split("; ")[0].split(" (see")[0]
            raise
        finally:
            out.unlink(missing_ok=True)
        return None

    def find_linears(self, sample):
        """The tensors that lossy codecs take, as bitdelta's container tells: in the fine-tune -> in the base."""
        out = self.work / "linears.safetensors"
        self.run("encode", "--yes", "--codec", "bitdelta", "--base", self.base, "-o", out, sample)
        shutil.copyfile(out, self.root / "linears.safetensors")
        told = json.loads(self.run("info", "--json", "--tensors", self.root / "linears.safetensors"))
        out.unlink()
        (self.root / "linears.safetensors").unlink()
        names = [tensor["name"] for tensor in told["tensors"] if tensor["codec"] in LOSSY]
        if not names:
            sys.exit("quality: no tensor of the fine-tune is one that bitdelta takes")
        self.linears = {name: name.removeprefix("bert.") for name in names}

    def add(self, model, method):
        """Put @model, a directory, into the store by @method; the figures of its container."""
        place = self.root / model.name / directory(method.name)
        place.mkdir(parents=True)
        for path in model.iterdir():
            if path.is_file() and path.suffix != ".safetensors":
                shutil.copyfile(path, place / path.name)
        source = model / "model.safetensors"
        if method.baseline:
            source = self.work / "baseline.safetensors"
            make_baseline(method, self.base, model / "model.safetensors", source, self.linears)
        began = time.monotonic()
        target = place / "model.safetensors"
        self.run("encode", "--yes", "--codec", method.spec, "--base", self.base, "-o", target, source)
        figures = self.figures(target, method)
        figures["encode_s"] = round(time.monotonic() - began, 2)
        if method.baseline:
            source.unlink()
        return figures

    def figures(self, path, method):
        """Ratios of bytes on disk. `linear` is over the tensors that lossy codecs take and their share of the tables,
        `info_linear` what info calls so, `file` over everything."""
        told = json.loads(self.run("info", "--json", "--tensors", path))
        if told["state"] != "compressed":
            raise RuntimeError(f"{path} is {told['state']}")
        taken = [tensor for tensor in told["tensors"] if tensor["name"] in self.linears]
        if not told["exact"] and not all(tensor["codec"] in LOSSY for tensor in taken):
            exact = [tensor["name"] for tensor in taken if tensor["codec"] not in LOSSY]
            raise RuntimeError(f"{path}: some linears are exact: {exact}")
        if told["exact"] != (method.spec == "exact"):
            raise RuntimeError(f"{path}: exact is {told['exact']}")
        before, after = (sum(tensor[key] for tensor in taken) for key in ("original_bytes", "stored_bytes"))
        return {"file_bytes": told["stored_bytes"], "file_ratio": told["all"]["ratio"],
                "info_linear_ratio": told["linear"]["ratio"], "linear_bytes": after,
                "linear_ratio": before / after if after else None, "gamma": told.get("gamma", {}).get("value")}

    def shown(self, model, method):
        """The model's directory in the mount."""
        return self.view / model.name / directory(method.name)

    @contextlib.contextmanager
    def mounted(self):
        before = os.stat(self.view).st_dev
        daemon = subprocess.Popen([self.daemon, "-f", "-o", "ro", self.root, self.view], stdin=subprocess.DEVNULL)
        try:
            while os.stat(self.view).st_dev == before:
                if daemon.poll() is not None:
                    sys.exit("quality: the mount failed")
                time.sleep(0.05)
            yield
        finally:
            if os.stat(self.view).st_dev != before:
                done = subprocess.run(["fusermount3", "-u", self.view])
                if done.returncode:
                    subprocess.run(["umount", "-l", self.view])
            daemon.wait(60)


def hash_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
