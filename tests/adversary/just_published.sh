#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# just_published: promises 1 and 5, files looked at, opened, written to, emptied and linked in the very moment in which they are compressed: nothing shows, nothing is refused, nothing is lost.
# test: timeout=240
. "$(dirname "$0")/common.sh"

"$DFS_BUILD/tests/tools/make_pair" --params 60000 --hidden 128 --vocab 256 --seed 1 orig >/dev/null || fail "make_pair"
mkdir mnt store && cp -r orig/base store/ && deltafsctl base add store store/base >said 2>&1 || fail "base add: $(cat said)"
cat >moments.py <<'PY'
import os, random, sys, threading, time
threading.excepthook = lambda lost: (threading.__excepthook__(lost), os._exit(1))  # the others would go on
A = open("orig/tune/model.safetensors", "rb").read()
rng = random.Random(1)
errors = []
def state(path):
    return os.getxattr(path, "user.deltafs.state")
def look(path):
    st = os.stat(path)
    return st.st_ino, st.st_size, st.st_mtime_ns, st.st_ctime_ns, st.st_nlink, st.st_mode
def written(path):
    with open(path, "r+b", buffering=0) as f:
        os.pwrite(f.fileno(), b"mine", 10000)
        os.fsync(f.fileno())
    return A[:10000] + b"mine" + A[10004:]
def emptied(path):
    with open(path, "wb") as f:
        f.write(b"new")
    return b"new"
def cut(path):
    os.truncate(path, 777)
    return A[:777]
def longer(path):
    with open(path, "ab") as f:
        f.write(b"more")
    if os.stat(path).st_size != len(A) + 4:
        errors.append(f"{path}: the size of a file that grew is {os.stat(path).st_size}")
    return A + b"more"
def linked(path):
    os.link(path, path + "-linked")
    return A
def mode(path):
    os.chmod(path, 0o600)
    if os.stat(path).st_mode & 0o777 != 0o600:
        errors.append(f"{path}: a chmod was lost")
    return A
changes = (written, emptied, cut, longer, linked, mode)
# Each worker has a directory of its own, so that nothing else happens in it.
def worker(number, seed):
    rng = random.Random(seed)
    name = f"mnt/{number}"
    os.mkdir(name)
    end, done = time.monotonic() + 25, 0
    while time.monotonic() < end and not errors:
        path = f"{name}/{done}"
        change = rng.choice(changes)
        with open(path, "wb") as f:
            f.write(A)
        before, above = look(path), look(name)
        # Some wait until it has happened, some do not.
        patience = time.monotonic() + rng.choice((0, 0.05, 0.5, 5, 20))
        held = None
        while state(path) != b"container" and time.monotonic() < patience:
            with open(path, "rb") as f:
                at = rng.randrange(len(A))
                if os.pread(f.fileno(), 100, at) != A[at:at + 100]:
                    errors.append(f"{path}: wrong bytes")
                if rng.random() < 0.3 and held is None:
                    held = os.dup(f.fileno())
            with open(path, "r+b"):	# a handle that may write, and does not
                pass
            if look(path) != before or look(name) != above:
                errors.append(f"{path}: {before} {above} became {look(path)} {look(name)}")
        try:
            wanted = change(path)
        except OSError as error:
            errors.append(f"{path}: {change.__name__}: {error}")
            return
        if held is not None:
            if os.pread(held, len(A) + 10, 0) != wanted:
                errors.append(f"{path}: {change.__name__}: who had it open does not see it")
            os.close(held)
        for reader in (open(path, "rb"),):
            if reader.read() != wanted:
                errors.append(f"{path}: {change.__name__}: wrong bytes afterwards")
            reader.close()
        with open(f"wanted/{number}-{done}", "wb") as f:
            f.write(wanted)
        done += 1
    counts.append(done)
counts = []
os.mkdir("wanted")
threads = [threading.Thread(target=worker, args=(i, i)) for i in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(counts), "files")
sys.exit("\n".join(errors) if errors else 0)
PY

for options in rw,quiet=0 rw,quiet=0,nowriteback; do
	rm -rf wanted
	start_daemon store mnt -o "$options"
	timeout -s KILL 100 python3 moments.py || fail "$options: $(grep -v compressed "$log" | tail -3)"
	echo "$options: $(grep -c 'compressed to' "$log") compressed"
	stop_daemon mnt
	start_daemon store mnt
	for wanted in wanted/*; do
		name=${wanted#wanted/}
		cmp "$wanted" "mnt/${name/-//}" || fail "$options: lost after a remount"
	done
	stop_daemon mnt
	rm -rf store/[0-9]
done
