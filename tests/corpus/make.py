#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""make: the corpus of containers, as far as it is not there yet.

    make.py [DIR]

Writes bases, good-*, bad-* and unsupported-* into DIR (this directory), with
README.md and FROZEN. A good container that FROZEN lists stays as it is, even
if this build would write another one. Needs deltafsctl in PATH for new ones.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "ref"))
sys.dont_write_bytecode = True

from bad import BAD  # noqa: E402
from crafted import CRAFTED  # noqa: E402
from crafted_lossy import CRAFTED_LOSSY  # noqa: E402
from good import GOOD  # noqa: E402
from lossy import LOSSY  # noqa: E402
from models import make_every_dtype, make_halves, make_main, safetensors  # noqa: E402
from read_container import h128, read_container  # noqa: E402

BASES = {"main": ["base-main.safetensors"], "every": ["base-every.safetensors"],
         "halves.index.json": ["base-half-1.safetensors", "base-half-2.safetensors"], None: []}


def base_files():
    first, second = make_halves()
    index = {"weight_map": {tensor[0]: "base-half-%d.safetensors" % n
                            for n, half in ((1, first), (2, second)) for tensor in half}}
    return {
        "base-main.safetensors": safetensors(make_main()),
        "base-every.safetensors": safetensors(make_every_dtype()),
        "base-half-1.safetensors": safetensors(first),
        "base-half-2.safetensors": safetensors(second),
        "base-halves.index.json": json.dumps(index, indent=1).encode() + b"\n",
    }


def encode(directory, original, base, codec="exact"):
    """The container that this build makes of some bytes."""
    with tempfile.TemporaryDirectory() as temp:
        # the container remembers this directory's name
        os.symlink(os.path.abspath(directory), os.path.join(temp, "corpus"))
        plain, out = os.path.join(temp, "model.safetensors"), os.path.join(temp, "out")
        write(plain, original)
        command = ["deltafsctl", "encode", "--yes", "--codec", codec, plain, "-o", out]
        if base:
            name = "base-" + base if "." in base else "base-%s.safetensors" % base
            command += ["--base", os.path.join(temp, "corpus", name)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return read(out)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def read_frozen(path):
    """{name: line}"""
    if not os.path.exists(path):
        return {}
    with open(path) as file:
        lines = [line.rstrip("\n") for line in file if line[0] != "#"]
    return {line.split()[3]: line for line in lines}


def frozen_head():
    by_reader = ["good-" + name for name, *_, shown in LOSSY if shown is None]
    return "".join("# %s\n" % line for line in [
        "sha256 of a container; sha256 and XXH3-128 of the file it stands for; name; bases.",
        "That file is the one that was encoded, or worked out by lossy.py and crafted_lossy.py",
        "from what the codec is, not from the container. But of these it is what the reader in",
        "tests/ref makes of the container by the format page: that two readers agree on it, no more:",
        *textwrap.wrap(" ".join(by_reader), 90, break_on_hyphens=False),
        "Every later build must read all of them: lines below are only added."])


class Corpus:
    def __init__(self, directory):
        self.directory = directory
        self.frozen = read_frozen(self.path("FROZEN"))
        self.readme = []

    def path(self, name):
        return os.path.join(self.directory, name)

    def add_good(self, name, what, base, make):
        """make() gives (container, shown file)"""
        file = "good-" + name
        if file not in self.frozen:
            container, shown = make()
            write(self.path(file), container)
            self.frozen[file] = " ".join(
                [sha256(container), sha256(shown), h128(shown).hex(), file] + BASES[base])
        self.readme.append("| %s | | %s |" % (file, what))

    def good(self, name):
        return read(self.path("good-" + name))

    def make(self):
        for name, data in base_files().items():
            if not os.path.exists(self.path(name)):
                write(self.path(name), data)
        originals = {name: original for name, _, _, original in GOOD}
        for name, what, base, original in GOOD:
            def encoded(original=original, base=base):
                shown = original()
                return encode(self.directory, shown, base), shown
            self.add_good(name, what, base, encoded)
        for name, what, base, codec, original, shown in LOSSY:
            def given_up(original=original, base=base, codec=codec, shown=shown):
                container = encode(self.directory, original(), base, codec)
                files = [read(self.path(name)) for name in BASES[base]]
                return container, shown() if shown else read_container(container, files)
            self.add_good(name, what, base, given_up)
        for name, what, base, craft in CRAFTED + CRAFTED_LOSSY:
            def crafted(craft=craft):
                return craft(lambda source: (self.good(source), originals[source]()))
            self.add_good(name, what, base, crafted)
        for file, code, what, source, change in BAD:
            write(self.path(file), change(self.good(source)))
            self.readme.append("| %s | %s | %s |" % (file, code, what))

    def write_lists(self):
        with open(self.path("FROZEN"), "w") as file:
            file.write(frozen_head())
            file.writelines(line + "\n" for line in self.frozen.values())
        with open(self.path("README.md"), "w") as file:
            file.write(README + "\n".join(self.readme) + "\n")


README = """# Containers that readers are tested with

Made by `make.py`, which leaves alone what is listed in `FROZEN`. `good-` ones
must be read, by every later build too; `bad-` ones must be refused with the
errno given, `unsupported-` ones with `ENOTSUP`. `test_corpus.c` asks the
library, `reference.sh` the reader in `../ref`.

| file | errno | what it is |
| --- | --- | --- |
"""


def main():
    corpus = Corpus(sys.argv[1] if len(sys.argv) > 1 else HERE)
    corpus.make()
    corpus.write_lists()


if __name__ == "__main__":
    main()
