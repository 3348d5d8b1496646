#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""write_bench: writing into a mount, against ext4 under the same load and against libfuse's passthrough_ll.

Contestants take turns on one disk; a time includes the fsync. What is copied
is in memory, so that the writing is what is measured. The passthrough server
is built from libfuse's own example, with its writeback cache on.
"""
import argparse
import contextlib
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from bench import DiskWrites, Results, Tools, alternate, back_memory, deltafs, evict, note, quartiles, run, server, warm

EXAMPLE = "/usr/share/doc/libfuse3-dev/examples/passthrough_ll.c"
SMALL = 10000

# Bytes a second of the disk that most figures are about. A faster one waits for the CPU.
DISK = 1000000000

NAMES = """
import os, sys, time
where, n = sys.argv[1], int(sys.argv[2])
began = time.monotonic()
for i in range(n):
    os.close(os.open(f"{where}/{i}", os.O_CREAT | os.O_WRONLY, 0o644))
for i in range(n):
    os.stat(f"{where}/{i}")
for i in range(n):
    os.unlink(f"{where}/{i}")
print(time.monotonic() - began)
"""


COPY = """
import os, sys, time
began = time.monotonic()
src, dst = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
while os.copy_file_range(src, dst, 1 << 40):
    pass
os.fsync(dst)
os.close(dst)
print(time.monotonic() - began)
"""


def timed(*argv):
    began = time.monotonic()
    run(*argv)
    return time.monotonic() - began


def rss_bytes(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))


def passthrough(work):
    program = f"{work}/passthrough_ll"
    flags = run("pkg-config", "--cflags", "--libs", "fuse3").split()
    run("gcc", "-w", "-O2", "-D_FILE_OFFSET_BITS=64", EXAMPLE, "-o", program, *flags)
    return program


def stranger(src, dst, number):
    """A safetensors file whose tensors have names of their own, and values that are nobody else's. Return: @dst."""
    with open(src, "rb") as f:
        header = json.loads(f.read(int.from_bytes(f.read(8), "little")))
        data = f.read()
    text = json.dumps({f"{number}.{name}": tensor for name, tensor in header.items() if name != "__metadata__"}).encode()
    text += b" " * (-len(text) % 8)
    with open(dst, "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text + data[1954 * number:] + data[:1954 * number])
    return dst


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextlib.contextmanager
def web(directory):
    handler = lambda *args: Quiet(*args, directory=directory)  # noqa: E731
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


class Bench:
    def __init__(self, args):
        self.args, self.tools, self.results = args, Tools(args.build), Results()
        self.work, self.mount = args.work, f"{args.work}/mnt"
        self.model, self.tuned = f"{args.work}/pair/tune/model.safetensors", f"{args.work}/in"
        self.base, self.tar = f"{args.work}/pair/base/model.safetensors", f"{args.work}/in.tar"

    def prepare(self):
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(self.work)
        run(self.tools.pair, "--params", str(int(self.args.gib * 2**29)), "--r", "1e-2", f"{self.work}/pair")
        os.makedirs(self.tuned)
        os.link(self.model, f"{self.tuned}/model.safetensors")
        for i in range(200):
            with open(f"{self.tuned}/small{i}", "wb") as f:
                f.write(os.urandom(3000))
        run("tar", "-cf", self.tar, "-C", self.work, "in")
        self.server = passthrough(self.work) if os.path.exists(EXAMPLE) else None

    @contextlib.contextmanager
    def ext4(self, options=None):
        with tempfile.TemporaryDirectory(dir=self.work, prefix="plain.") as where:
            yield where, None

    @contextlib.contextmanager
    def ours(self, options="noingest"):
        with tempfile.TemporaryDirectory(dir=self.work, prefix="store.") as store:
            shutil.copytree(f"{self.work}/pair/base", f"{store}/base", copy_function=os.link)
            run(self.tools.ctl, "base", "add", store, f"{store}/base")
            with deltafs(self.tools, store, self.mount, "base", f"rw,{options}") as daemon:
                yield self.mount, daemon

    @contextlib.contextmanager
    def theirs(self, options=""):
        with tempfile.TemporaryDirectory(dir=self.work, prefix="back.") as back:
            os.makedirs(f"{back}/base")
            argv = [self.server, "-f", "-o", f"source={back},writeback,cache=always,timeout=1{options}", self.mount]
            with server(argv, self.mount, "base") as daemon:
                yield self.mount, daemon

    def compare(self, what, job, others, pairs):
        """@others: (contestant, goal, words) that ours is measured against."""
        contestants = {"ours": self.ours, **{name: how for name, how, _, _ in others}}
        took = {name: [] for name in contestants}
        for _, name in alternate(list(contestants), pairs):
            with contestants[name]() as (where, _):
                if job != self.names:
                    self.free_memory()
                took[name].append(job(where))
            os.sync()
            note(f"{what}: {name} {took[name][-1]:.2f} s")
        for name, _, goal, words in others:
            self.results.add_ratio(f"{what} against {words}", [b / a for a, b in zip(took["ours"], took[name])], goal)

    def in_memory(self, path):
        """Of all that is large: else there is not room enough for what is copied."""
        evict(self.tools, self.model, self.base, self.tar)
        warm(path)

    def free_memory(self):
        """For twice what is copied: the kernel keeps what comes through a mount twice."""
        back_memory(int(os.path.getsize(self.model) * 2.2))

    def is_compressed(self, path):
        return os.stat(path).st_blocks * 512 <= os.path.getsize(self.model) * 0.9

    def copy_in(self, where):
        return timed("sh", "-c", f'cp "{self.model}" "{where}/copy" && sync "{where}/copy"')

    def untar(self, where):
        return timed("sh", "-c", f'tar -xf "{self.tar}" -C "{where}" && sync "{where}/in/model.safetensors"')

    def names(self, where):
        os.makedirs(f"{where}/names")
        return float(run(sys.executable, "-c", NAMES, f"{where}/names", str(SMALL)))

    def while_busy(self, name):
        """One copy while another file is being compressed: into the mount, or beside it on the same disk."""
        with self.ours("quiet=0") as (mount, _), self.ext4() as (plain, _):
            shutil.copy(self.model, f"{mount}/other")
            self.free_memory()
            time.sleep(1)
            if self.is_compressed(f"{mount}/other"):
                sys.exit("bench: compressed before it could be disturbed; make the model larger")
            took = self.copy_in(mount if name == "ours" else plain)
        os.sync()
        note(f"busy: {name} {took:.2f} s")
        return took

    def busy(self, pairs, disk=""):
        took = {"ours": [], "ext4": [], "ext4 alone": []}
        for _, name in alternate(list(took), pairs):
            if name == "ext4 alone":
                with self.ext4() as (where, _):
                    self.free_memory()
                    took[name].append(self.copy_in(where))
                os.sync()
            else:
                took[name].append(self.while_busy(name))
        for name, goal, words in (("ext4", 0.7, "ext4 under the same load"), ("ext4 alone", None, "ext4 alone")):
            self.results.add_ratio(f"cp, fsync included, another file being compressed{disk}, against {words}",
                                   [b / a for a, b in zip(took["ours"], took[name])], goal)

    def cancelled(self, times):
        """How long an encode goes on after its file was written to."""
        with self.ours("quiet=0") as (where, _):
            shutil.copy(self.model, f"{where}/tune")
            took = run(sys.executable, f"{os.path.dirname(os.path.abspath(__file__))}/cancel.py", where, "tune", str(times))
        took = [float(line) for line in took.split()]
        self.results.add("an encode goes on after a write", max(took), 100, "ms", {"n": len(took)}, at_most=True)

    def copied(self, pairs):
        """A container copied within the mount, and what is stored of it beside it."""
        with tempfile.TemporaryDirectory(dir=self.work, prefix="store.") as store:
            shutil.copytree(f"{self.work}/pair/base", f"{store}/base", copy_function=os.link)
            shutil.copy(self.model, f"{store}/tune")
            run(self.tools.ctl, "base", "add", store, f"{store}/base")
            run(self.tools.ctl, "encode", f"{store}/tune")
            warm(f"{store}/tune")
            with deltafs(self.tools, store, self.mount, "base", "rw,noingest"):
                took = {store: [], self.mount: []}
                for _, where in alternate([store, self.mount], pairs):
                    took[where].append(float(run(sys.executable, "-c", COPY, f"{where}/tune", f"{where}/copy")))
                    if os.stat(f"{where}/copy").st_blocks > os.stat(f"{store}/tune").st_blocks * 1.01:
                        sys.exit("bench: the copy is no container")
                    os.unlink(f"{where}/copy")
                    os.sync()
                    note(f"copy_file_range: {'the container' if where == self.mount else 'what is stored'} {took[where][-1]:.2f} s")
        ratios = [b / a for a, b in zip(took[self.mount], took[store])]
        self.results.add_ratio("copy_file_range of a container, fsync included, against that of what is stored", ratios, 0.8)

    def end_to_end(self, pairs):
        speeds, rss = [], 0
        size = os.path.getsize(self.model)
        for _ in range(pairs):
            with self.ours("quiet=0") as (where, daemon):
                self.free_memory()
                shutil.copy(self.model, f"{where}/copy")
                began = time.monotonic()
                while not self.is_compressed(f"{where}/copy"):
                    if time.monotonic() - began > 600:
                        sys.exit("bench: not compressed after ten minutes")
                    time.sleep(0.05)
                speeds.append(size / 1e9 / (time.monotonic() - began))
                rss = max(rss, rss_bytes(daemon.pid))
        low, mid, high = quartiles(speeds)
        self.results.add("cp done to compressed: choose, encode, verify, publish", mid, 0.25, "GB/s", {"quartiles": (low, mid, high)})
        self.results.add("memory of the daemon meanwhile, MiB (cache=256M)", rss / 2**20, 512, "", at_most=True)

    def small_pair(self, seed):
        """A base and its fine-tune, of 1 MB each, whose tensors nobody else has the names of."""
        where = f"{self.work}/small{seed}"
        run(self.tools.pair, "--params", "500000", "--hidden", "128", "--seed", str(seed), where)
        return f"{where}/base/model.safetensors", f"{where}/tune/model.safetensors"

    def settles(self, src, where, name):
        """Seconds from the end of a copy to the decision about it."""
        shutil.copy(src, f"{where}/{name}")
        began = time.monotonic()
        run(self.tools.ctl, "wait", "--timeout", "60", f"{where}/{name}")
        return time.monotonic() - began

    def choice(self, times, bases=20, alone=500):
        """What choosing takes: among many bases and many that were coded alone, less the same file where there is one base, or none."""
        pairs = [self.small_pair(seed) for seed in range(bases + 1)]
        took = {}
        for many in True, False:
            with tempfile.TemporaryDirectory(dir=self.work, prefix="store.") as store:
                for i, (base, _) in enumerate(pairs[:bases] if many else pairs[:1]):
                    os.makedirs(f"{store}/base{i}")
                    shutil.copy(base, f"{store}/base{i}/model.safetensors")
                    run(self.tools.ctl, "base", "add", store, f"{store}/base{i}")
                with deltafs(self.tools, store, self.mount, "base0", "rw,quiet=0"):
                    for i in range(alone if many else 1):
                        stranger(pairs[i % bases][1], f"{self.mount}/alone{i}", i + 1)
                    run(self.tools.ctl, "wait", "--timeout", "600", self.mount)
                    for what in "a base", "none":
                        new = []
                        for i in range(times):
                            src = pairs[0][1] if what == "a base" else stranger(pairs[bases][0], f"{self.work}/next", alone + i + 1)
                            new.append(self.settles(src, self.mount, f"{what}{i}"))
                        took[many, what] = sorted(new)[times // 2]
                        note(f"choice: {'many' if many else 'one'}, for whom there is {what}: {took[many, what] * 1e3:.0f} ms")
        for what in "a base", "none":
            self.results.add(f"choosing among {bases} bases and {alone} candidates, where {what} fits", max(0.0,
                             (took[True, what] - took[False, what]) * 1e3), 100, "ms", {"n": times}, at_most=True)

    def reader(self, pairs):
        """A reader of a compressed file, alone and while another is compressed."""
        ratios = []
        for _ in range(pairs):
            with self.ours("quiet=0") as (where, daemon):
                shutil.copy(self.model, f"{where}/first")
                while not self.is_compressed(f"{where}/first"):
                    time.sleep(0.05)
                alone = self.read_cold(f"{where}/first")
                shutil.copy(self.model, f"{where}/second")
                time.sleep(1)
                ratios.append(alone / self.read_cold(f"{where}/first"))
        self.results.add_ratio("a cold reader while another file is compressed, against alone", ratios, 0.8)

    @staticmethod
    def read_cold(path):
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        began = time.monotonic()
        while os.read(fd, 1 << 20):
            pass
        os.close(fd)
        return time.monotonic() - began

    def copies(self, pairs, few):
        others = [("ext4", self.ext4, 0.9, "ext4")]
        if self.server:
            others.append(("passthrough", self.theirs, 0.95, "libfuse's passthrough_ll"))
        self.in_memory(self.model)
        self.compare("cp, fsync included", self.copy_in, others, pairs)
        with DiskWrites(self.work, DISK):
            self.compare(f"cp, fsync included, disk of {DISK / 1e9:g} GB/s", self.copy_in, others, pairs)

    def small_writes(self, pairs, few):
        ext4 = [("ext4", self.ext4, 0.8, "ext4")]
        self.in_memory(self.tar)
        self.compare("tar x, fsync included", self.untar, ext4, pairs)
        self.in_memory(self.model)
        with web(f"{self.work}/pair/tune") as url:
            self.compare("wget, small writes", lambda where: timed("wget", "-q", f"{url}/model.safetensors", "-O", f"{where}/copy"),
                         ext4, pairs)

    def many_names(self, pairs, few):
        if self.server:
            self.compare(f"create, stat, unlink {SMALL} files", self.names,
                         # With the permissions that any mount has to have checked: the kernel then asks for a
                         # directory's mode after each change in it.
                         [("checking", lambda: self.theirs(",default_permissions"), 0.9,
                           "libfuse's passthrough_ll with default_permissions"),
                          ("passthrough", self.theirs, None, "libfuse's passthrough_ll as it comes")], pairs)

    def ingest(self, pairs, few):
        self.in_memory(self.model)
        self.cancelled(2 * few)
        self.reader(few)
        self.copied(few)
        self.end_to_end(few)

    def copies_while_busy(self, pairs, few):
        self.in_memory(self.model)
        self.busy(few)
        with DiskWrites(self.work, DISK):
            self.busy(few, f", disk of {DISK / 1e9:g} GB/s")

    def chosen(self, pairs, few):
        self.choice(2 * pairs + 1)

    def run(self):
        pairs = self.args.pairs
        self.prepare()
        parts = {"copies": self.copies, "small": self.small_writes, "names": self.many_names, "busy": self.copies_while_busy,
                 "ingest": self.ingest, "choice": self.chosen}
        for name in self.args.only or parts:
            parts[name](pairs, max(1, pairs // 2))
        self.results.save(self.args.json)
        shutil.rmtree(self.work, ignore_errors=True)
        return 1 if any(row["met"] is False for row in self.results.rows) else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--gib", type=float, default=4)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--json", default="write_bench.json")
    parser.add_argument("--only", nargs="+", choices=["copies", "small", "names", "busy", "ingest", "choice"])
    return Bench(parser.parse_args()).run()


if __name__ == "__main__":
    sys.exit(main())
