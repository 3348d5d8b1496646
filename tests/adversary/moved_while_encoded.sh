#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# moved_while_encoded: promise 1, trees that are renamed, exchanged, removed, linked and replaced (behind the mount too) while their files are compressed, in a store that is mounted over itself or holds its mountpoint: nothing is lost, mixed up or brought back.
# test: timeout=240
. "$(dirname "$0")/common.sh"

"$DFS_BUILD/tests/tools/make_pair" --params 60000 --hidden 128 --vocab 256 --seed 1 orig >/dev/null || fail "make_pair"
cat >moves.py <<'PY'
import ctypes, errno, os, random, shutil, sys, time
SHOWN, STORE, SEED = sys.argv[1], sys.argv[2], int(sys.argv[3])
libc = ctypes.CDLL(None, use_errno=True)
print("seed", SEED)
rng = random.Random(SEED)
A = open("orig/tune/model.safetensors", "rb").read()
wanted = {}	# directory: {file: its bytes}
made = 0
def path(*names):
    return os.path.join(SHOWN, *names)
def version():
    at = rng.randrange(20000, len(A) - 8)
    return A[:at] + os.urandom(8) + A[at + 8:]
def make():
    global made
    made += 1
    os.mkdir(path(f"d{made}"))
    wanted[f"d{made}"] = {}
    write(f"d{made}")
def write(where):
    name, data = f"f{rng.randrange(4)}", version()
    with open(path(where, name + ".tmp"), "wb") as f:
        f.write(data)
    os.rename(path(where, name + ".tmp"), path(where, name))
    wanted[where][name] = data
def rewrite(where):
    for name in wanted[where]:
        data = version()
        with open(path(where, name), "r+b") as f:
            f.write(data)
            f.truncate(len(data))
        wanted[where][name] = data
def move(where):
    global made
    made += 1
    os.rename(path(where), path(f"d{made}"))
    wanted[f"d{made}"] = wanted.pop(where)
def exchange(where):
    other = rng.choice(list(wanted))
    if libc.renameat2(-100, path(where).encode(), -100, path(other).encode(), 2) < 0:
        raise OSError(ctypes.get_errno(), "exchange")
    wanted[where], wanted[other] = wanted[other], wanted[where]
def remove(where):
    shutil.rmtree(path(where))
    del wanted[where]
def behind(where):	# another file in the place of one, not through the mount
    for name in list(wanted[where])[:1]:
        data = version()
        with open(os.path.join(STORE, where, name + ".new"), "wb") as f:
            f.write(data)
        os.rename(os.path.join(STORE, where, name + ".new"), os.path.join(STORE, where, name))
        wanted[where][name] = data
        time.sleep(1.1)	# for as long the kernel may believe in the old one
def link(where):
    for name in list(wanted[where])[:1]:
        os.link(path(where, name), path(where, name + "l"))
        wanted[where][name + "l"] = wanted[where][name]
        os.unlink(path(where, name))
        del wanted[where][name]
def look():
    for where, files in wanted.items():
        if sorted(os.listdir(path(where))) != sorted(files):
            sys.exit(f"{where} holds {os.listdir(path(where))}, not {list(files)}")
        for name, data in files.items():
            with open(path(where, name), "rb") as f:
                if f.read() != data:
                    sys.exit(f"{where}/{name}: other bytes, state {os.getxattr(path(where, name), 'user.deltafs.state')}")
def names():
    return set(os.listdir(SHOWN)) - {"inside", "base"}
steps = [write, write, rewrite, move, move, exchange, remove, link] + ([behind] if STORE != "-" else [])
end = time.monotonic() + 20
while time.monotonic() < end:
    if len(wanted) < 6:
        make()
        continue
    rng.choice(steps)(rng.choice(list(wanted)))
    if rng.random() < 0.1:
        time.sleep(rng.random())
        look()
look()
if names() != set(wanted):
    sys.exit(f"{names()}, not {set(wanted)}")
with open("left", "w") as f:
    for where, files in wanted.items():
        os.makedirs(f"wanted/{where}")
        for name, data in files.items():
            open(f"wanted/{where}/{name}", "wb").write(data)
PY

# round MOUNTPOINT STORE-AS-SEEN-FROM-OUTSIDE
round() {
	rm -rf store wanted && mkdir -p store store/inside mnt wanted && cp -r orig/base store/
	deltafsctl base add store store/base >said 2>&1 || fail "base add: $(cat said)"
	start_daemon store "$1" -o rw,quiet=0
	timeout -s KILL 60 python3 moves.py "$1" "$2" $((RANDOM)) || fail "on $1: $(grep -v compressed "$log" | tail -3)"
	echo "on $1: $(grep -c 'compressed to' "$log") compressed"
	[ "$1" != store/inside ] || [ ! -e store/inside/inside ] || fail "the mountpoint shows itself"
	stop_daemon "$1"
	start_daemon store mnt
	for dir in wanted/*; do diff -r "$dir" "mnt/${dir#wanted/}" || fail "on $1: $dir after a remount"; done
	stop_daemon mnt
	[ -z "$(find store/.deltafs/tmp -type f)" ] || fail "on $1: left behind: $(find store/.deltafs/tmp -type f)"
}
round mnt store
round store -
round store/inside store
