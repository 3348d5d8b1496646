#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# open_published: who opens or changes a file in the very moment in which it is compressed waits for that, is not refused, and changes what its name leads to then: another file, where bits were given up
# test: root timeout=300 nosan
. "$(dirname "$0")/common.sh"
command -v cc >/dev/null || skip "no C compiler"

# Who keeps others from writing to it has the time for that, and who is kept from it too.
cat >lease.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static int slow(const char *name, int fd, int command, void *arg)
{
	int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, name);
	int ret = real(fd, command, arg);

	if (command == F_SETLEASE && (long)arg == F_RDLCK && ret == 0) {
		fprintf(stderr, "leased\n");
		usleep(700000);
	}
	return ret;
}

#define FCNTL(name)						\
	int name(int fd, int command, ...)			\
	{							\
		va_list more;					\
		void *arg;					\
								\
		va_start(more, command);			\
		arg = va_arg(more, void *);			\
		va_end(more);					\
		return slow(#name, fd, command, arg);		\
	}
FCNTL(fcntl)
FCNTL(fcntl64)
C
cc -shared -fPIC -O -o lease.so lease.c -ldl || fail "cc"

make_store --params 1000000 --hidden 128 --seed 29
DFS_WRAP="env LD_PRELOAD=$PWD/lease.so" start_daemon store mnt -o rw,quiet=600
mkdir mnt/dir
cp orig/tune/model.safetensors mnt/dir/f
exec 5<mnt/dir/f
python3 - mnt/dir/f orig/tune/model.safetensors <<'PY' || fail "$(tail -3 "$log")"
import os, subprocess, sys, time
path, want = sys.argv[1], open(sys.argv[2], "rb").read()
subprocess.run(["deltafsctl", "policy", "set", os.path.dirname(path), "quiet=0"], check=True, stdout=subprocess.DEVNULL)
end, n, longest = time.monotonic() + 120, 0, 0
while os.getxattr(path, "user.deltafs.state") != b"container":
    if time.monotonic() > end:
        sys.exit("it is not compressed: " + os.getxattr(path, "user.deltafs.reason").decode())
    before = time.monotonic()
    os.close(os.open(path, os.O_RDWR))
    longest = max(longest, time.monotonic() - before)
    n += 1
    time.sleep(0.05)
if open(path, "rb").read() != want or os.pread(5, len(want) + 1, 0) != want:
    sys.exit("other bytes")
print(f"opened {n} times, for {longest:.1f} s at most")
if longest < 0.4:
    sys.exit("nobody had to wait: this shows nothing")
PY
grep -q '^leased' "$log" || fail "nobody was kept from it: this shows nothing: $(tail -3 "$log")"
exec 5<&-

# Where bits are given up its name leads to another file then, and with keep= the old one is to come back as it was.
cat >changes.py <<'PY'
import os, subprocess, sys, time
directory, source, log = sys.argv[1:]
original = open(source, "rb").read()
def ctl(*words):
    subprocess.run(["deltafsctl", *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
def leased():
    return open(log).read().count("leased")
def whole(path):
    with open(path, "rb") as file:
        return file.read()
def written(path):
    fd = os.open(path, os.O_RDWR)
    os.pwrite(fd, b"mine", len(original) - 100)
    os.close(fd)
    return whole(path)[-100:-96] == b"mine"
def emptied(path):
    with open(path, "wb") as file:
        file.write(b"new")
    return whole(path) == b"new"
def cut(path):
    os.truncate(path, 777)
    return os.stat(path).st_size == 777
def mode(path):
    os.chmod(path, 0o640)
    return os.stat(path).st_mode & 0o777 == 0o640
def time_set(path):
    os.utime(path, (10**9, 10**9))
    return os.stat(path).st_mtime == 10**9
def attribute(path):
    os.setxattr(path, "user.mine", b"1")
    return os.getxattr(path, "user.mine") == b"1"
def linked(path):
    os.link(path, path + "-linked")
    with open(path + "-linked", "r+b") as file:
        file.write(b"x")
    return whole(path)[:1] == b"x"
for n, change in enumerate((written, emptied, cut, mode, time_set, attribute, linked) * 2):
    path, kept = f"{directory}/{n}", n >= 7
    ctl("policy", "set", directory, "keep=" + ("manual" if kept else "none"), "quiet=600")
    with open(path, "wb") as file:
        file.write(original)
    held = os.open(path, os.O_RDONLY) if n % 2 else -1
    number, before = os.stat(path).st_ino, leased()
    ctl("policy", "set", directory, "quiet=0")
    end = time.monotonic() + 120
    while leased() == before:
        if time.monotonic() > end:
            sys.exit(f"{change.__name__}: it is not compressed")
        os.stat(path)	# so that the kernel believes the name, and asks for the file alone
        time.sleep(0.01)
    what = f"{change.__name__}{', kept' if kept else ''}{', held' if held >= 0 else ''}"
    if not change(path):
        sys.exit(f"{what}: the change is lost")
    if os.stat(path).st_ino == number:
        sys.exit(f"{what}: nobody gave up bits: this shows nothing")
    if held >= 0:
        if os.pread(held, len(original) + 1, 0) != original:
            sys.exit(f"{what}: who had it open has other bytes")
        os.close(held)
    if kept and change is not emptied:
        if change is linked:
            ran = subprocess.run(["deltafsctl", "revert", "--yes", path], capture_output=True, text=True)
            if not ran.returncode or "it has several names (hard links)" not in ran.stderr + ran.stdout:
                sys.exit(f"{what}: reverted with two names: {ran}")
            os.unlink(path + "-linked")
        ctl("revert", "--yes", path)
        if whole(path) != original:
            sys.exit(f"{what}: what was kept is not what it was")
    for name in os.listdir(directory):	# else it is compressed beside the next one
        os.unlink(f"{directory}/{name}")

# The other way round: while its original is given back.
for n, change in enumerate((written, emptied, cut, mode, time_set, attribute)):
    path = f"{directory}/back{n}"
    with open(path, "wb") as file:
        file.write(original)
    ctl("wait", path)
    if os.getxattr(path, "user.deltafs.exact") != b"0":
        sys.exit(f"{path}: nobody gave up bits: this shows nothing")
    number, before = os.stat(path).st_ino, leased()
    revert = subprocess.Popen(["deltafsctl", "revert", path], stdout=subprocess.DEVNULL)
    while leased() == before and revert.poll() is None:
        os.stat(path)
        time.sleep(0.01)
    if not change(path):
        sys.exit(f"{change.__name__}, reverted: the change is lost")
    if revert.wait() or os.stat(path).st_ino == number:
        sys.exit(f"{change.__name__}: not reverted")
    if change is written and whole(path) != original[:-100] + b"mine" + original[-96:]:
        sys.exit("written, reverted: other bytes")
    os.unlink(path)
PY
mkdir mnt/lossy
deltafsctl policy set mnt/lossy codec=bitdelta >said || fail "policy set: $(cat said)"
python3 changes.py mnt/lossy orig/tune/model.safetensors "$log" || fail "$(grep -v leased "$log" | tail -3)"
stop_daemon mnt
