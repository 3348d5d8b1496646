#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bench: shared parts of the benchmarks: passes over files, page cache, mounts, disks.

Times are only ever compared within one run: contestants take turns in an
order that alternates, and a figure is the median of ratios pair by pair.
"""
import contextlib
import json
import mmap
import os
import statistics
import subprocess
import sys
import time

PAGE = 4096


class Tools:
    """Where the programs under test and the helpers of the benchmark are."""

    def __init__(self, build):
        self.deltafs = os.path.join(build, "mount-tools/deltafs")
        self.ctl = os.path.join(build, "mount-tools/deltafsctl")
        self.pair = os.path.join(build, "tests/tools/make_pair")
        self.readfile = os.path.join(build, "tests/bench/readfile")
        self.memserver = os.path.join(build, "tests/bench/memserver")
        self.bitx = os.path.join(build, "tests/bench/bitx")


def run(*argv, **kwargs):
    """Run a command that must succeed; its output."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)
    if done.returncode:
        sys.exit(f"bench: {' '.join(map(str, argv))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def note(text):
    print(f"# {text}", file=sys.stderr, flush=True)


def allocated(path):
    """Bytes on disk of a file or tree, each inode once."""
    seen, total = set(), 0
    tree = [path] if os.path.isfile(path) else [os.path.join(d, f) for d, _, fs in os.walk(path) for f in fs]
    for name in tree:
        st = os.lstat(name)
        if (st.st_dev, st.st_ino) not in seen:
            seen.add((st.st_dev, st.st_ino))
            total += st.st_blocks * 512
    return total


def evict(tools, *paths):
    """Drop the pages of files and prove that none is left."""
    os.sync()
    for line in run(tools.readfile, "evict", *paths).splitlines():
        left = json.loads(line)
        if left["resident_pages"]:
            sys.exit(f"bench: {left['file']}: {left['resident_pages']} pages stay in memory")


def all_resident(tools, *paths):
    """Whether every page of the files is in memory: a kernel may take pages back without need."""
    lines = run(tools.readfile, "resident", *paths).splitlines()
    return all(json.loads(line)["resident_pages"] * PAGE >= os.path.getsize(path)
               for line, path in zip(lines, paths))


def warm(*paths):
    for path in paths:
        with open(path, "rb", buffering=0) as f:
            while f.read(1 << 22):
                pass


def back_memory(size):
    """Have free memory backed. The host of a virtual machine gives it at its first touch and takes it back when it is
    free for a while: the first to use it then measures the host (4 GiB: some seconds), whoever comes next does not."""
    with open("/proc/meminfo") as f:
        free = next(int(line.split()[1]) * 1024 for line in f if line.startswith("MemFree:"))
    mmap.mmap(-1, min(size, free * 9 // 10), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE).close()


def read_pass(tools, mode, path):
    return json.loads(run(tools.readfile, mode, path))


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def set_read_ahead(mountpoint, kib, raised):
    """The kernel's own; @raised: the daemon is about to set it itself, and is waited for."""
    dev = os.stat(mountpoint).st_dev
    path = f"/sys/class/bdi/{os.major(dev)}:{os.minor(dev)}/read_ahead_kb"
    for _ in range(100):
        with open(path) as f:
            if not raised or f.read().strip() != "128":
                break
        time.sleep(0.02)
    with open(path, "w") as f:
        f.write(str(kib))


@contextlib.contextmanager
def server(argv, mountpoint, probe, read_ahead=None, raised=False, env=None):
    """A FUSE daemon in the foreground for the time of a with block; its process."""
    os.makedirs(mountpoint, exist_ok=True)
    before = os.stat(mountpoint).st_dev
    daemon = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              env=dict(os.environ, **(env or {})))
    try:
        for _ in range(300):
            if os.stat(mountpoint).st_dev != before and os.path.exists(os.path.join(mountpoint, probe)):
                break
            if daemon.poll() is not None:
                sys.exit(f"bench: {argv[0]}: {daemon.stderr.read().decode()}")
            time.sleep(0.05)
        else:
            sys.exit(f"bench: {argv[0]}: not mounted after 15 s")
        if read_ahead:
            set_read_ahead(mountpoint, read_ahead, raised)
        yield daemon
    finally:
        if os.stat(mountpoint).st_dev != before:
            subprocess.run(["umount", mountpoint], check=False)
        try:
            daemon.wait(30)
        except subprocess.TimeoutExpired:
            daemon.kill()


def deltafs(tools, store, mountpoint, probe, options="", **kwargs):
    argv = [tools.deltafs, "-f", store, mountpoint]
    return server(argv + (["-o", options] if options else []), mountpoint, probe, raised=True, **kwargs)


@contextlib.contextmanager
def loop_mount(image, mountpoint, kind, options="ro"):
    os.makedirs(mountpoint, exist_ok=True)
    run("mount", "-t", kind, "-o", f"loop,{options}", image, mountpoint)
    try:
        yield run("findmnt", "-no", "SOURCE", mountpoint).strip()
    finally:
        run("umount", mountpoint)


class Disk:
    """Limits this process and its children to so many bytes a second from the device under a path."""

    GROUP = "deltafs-bench"
    LIMIT = "rbps"

    def __init__(self, path, bytes_per_second):
        dev = os.stat(path).st_dev
        self.device = f"{os.major(dev)}:{os.minor(dev)}"
        self.rate = bytes_per_second

    def __enter__(self):
        if not self.rate:
            return self
        v1 = "/sys/fs/cgroup/blkio"
        if os.path.isdir(v1):
            self.home, self.group = v1, f"{v1}/{self.GROUP}"
            os.makedirs(self.group, exist_ok=True)
            limit, line = "blkio.throttle.read_bps_device", f"{self.device} {self.rate}"
        else:
            self.home, self.group = "/sys/fs/cgroup", f"/sys/fs/cgroup/{self.GROUP}"
            with open("/sys/fs/cgroup/cgroup.subtree_control", "w") as f:
                f.write("+io")
            os.makedirs(self.group, exist_ok=True)
            limit, line = "io.max", f"{self.device} {self.LIMIT}={self.rate}"
        with open(f"{self.group}/{limit}", "w") as f:
            f.write(line)
        with open(f"{self.group}/cgroup.procs", "w") as f:
            f.write(str(os.getpid()))
        return self

    def __exit__(self, *exc):
        if not self.rate:
            return
        with open(f"{self.home}/cgroup.procs", "w") as f:
            f.write(str(os.getpid()))
        for _ in range(50):
            try:
                os.rmdir(self.group)
                return
            except OSError:
                time.sleep(0.1)


class DiskWrites(Disk):
    """The same of what is written. With version 1 of cgroups, what a page cache writes back counts as the root group's:
    there it limits the whole machine."""

    ROOT_LIMIT = "/sys/fs/cgroup/blkio/blkio.throttle.write_bps_device"
    LIMIT = "wbps"

    def __enter__(self):
        if not self.rate or not os.path.exists(self.ROOT_LIMIT):
            return super().__enter__()
        self.limit(self.rate)
        return self

    def __exit__(self, *exc):
        if not self.rate or not os.path.exists(self.ROOT_LIMIT):
            super().__exit__(*exc)
        else:
            self.limit(0)

    def limit(self, rate):
        with open(self.ROOT_LIMIT, "w") as f:
            f.write(f"{self.device} {rate}")


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, mid, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, mid, high


def alternate(contestants, pairs):
    """Yield (round, name) so that orders alternate: A B, B A, A B, ..."""
    for i in range(pairs):
        for name in contestants if i % 2 == 0 else list(reversed(contestants)):
            yield i, name


class Results:
    """Rows of the table and the JSON that goes with it."""

    def __init__(self):
        self.rows = []

    def add(self, what, value, goal=None, unit="", detail=None, at_most=False):
        met = None if goal is None else (value <= goal if at_most else value >= goal)
        self.rows.append({"what": what, "value": value, "goal": goal, "unit": unit, "met": met,
                          "at_most": at_most, "detail": detail or {}})
        sign = "" if goal is None else f"  goal {'<=' if at_most else '>='} {goal:g}: {'met' if met else 'MISSED'}"
        spread = ""
        if detail and "quartiles" in detail:
            spread = "  [{:.3g} .. {:.3g}]".format(detail["quartiles"][0], detail["quartiles"][2])
        print(f"{what:<76} {value:8.3f} {unit}{spread}{sign}", flush=True)

    def add_ratio(self, what, ratios, goal=None, at_most=False, **detail):
        low, mid, high = quartiles(ratios)
        self.add(what, mid, goal, "x", dict(detail, quartiles=(low, mid, high), n=len(ratios)), at_most)

    def save(self, path):
        with open(path, "w") as f:
            json.dump({"version": 1, "when": time.strftime("%Y-%m-%dT%H:%M:%S"), "machine": machine(),
                       "rows": self.rows}, f, indent=1)
            f.write("\n")


def machine():
    model = ""
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"cpu": model, "cpus": len(os.sched_getaffinity(0)), "kernel": os.uname().release}
