#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kept: promises 1, 4 and 10, originals that others want: by copies, links, exchanged names, forged records and marks, somebody else's revert; while files come and go they are never lost, and never anybody else's.
# test: timeout=600
. "$(dirname "$0")/common.sh"

given_pair 5
tune=$PWD/orig/tune/model.safetensors
start_daemon store mnt -o rw,quiet=0
settle() { deltafsctl wait --timeout 240 mnt >/dev/null || fail "it did not come to rest: $(tail -3 "$log")"; }
is_lossy() { [ "$(told exact "$1")" = 0 ]; }
lossy() { cp "$tune" "$1" && settle && is_lossy "$1" || fail "$1 is not lossy: $(told reason "$1")"; }
n_kept() { find store/.deltafs/kept -type f -not -name '*.record' | wc -l; }

mkdir mnt/k
deltafsctl policy set mnt/k codec=bitdelta keep=manual >/dev/null || fail "policy set"

# Two that exchange their names keep each its own.
lossy mnt/k/a
other=$PWD/other.safetensors
python3 - "$tune" "$other" <<'PY'
import sys
model = bytearray(open(sys.argv[1], "rb").read())
for at in range(len(model) - 4096, len(model), 2):
    model[at] ^= 1
open(sys.argv[2], "wb").write(model)
PY
cp "$other" mnt/k/b && settle && is_lossy mnt/k/b || fail "b is not lossy"
python3 - <<'PY'
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
assert libc.renameat2(-100, b"mnt/k/a", -100, b"mnt/k/b", 2) == 0, os.strerror(ctypes.get_errno())
PY
deltafsctl revert mnt/k/a mnt/k/b >said 2>&1 || fail "revert after an exchange: $(cat said)"
cmp mnt/k/a "$other" && cmp mnt/k/b "$tune" || fail "each got the other's original"
rm mnt/k/a mnt/k/b

# A mark is not taken from a user, shown to nobody, and leads nowhere.
lossy mnt/k/a
setfattr -n user.deltafs.kept -v manual mnt/k/a 2>/dev/null && fail "user.deltafs.kept can be set"
getfattr -d -m - mnt/k/a 2>/dev/null | grep -q kept && fail "it is listed"
cp -a mnt/k/a mnt/copy && cp --reflink=auto mnt/k/a mnt/copy2 && settle
for copy in copy copy2; do
	deltafsctl revert mnt/$copy >said 2>&1 && fail "a copy was reverted"
	deltafsctl accept mnt/$copy >said 2>&1 && fail "what is kept went by way of a copy"
done
[ "$(n_kept)" = 1 ] || fail "a copy took the original"
rm mnt/copy mnt/copy2
sleep 1
[ "$(n_kept)" = 1 ] || fail "removing a copy removed the original"

# Somebody else does neither; a link makes it plain, and it is the same file still.
if [ "$(id -u)" = 0 ] && id nobody >/dev/null 2>&1; then
	stop_daemon mnt
	chmod 755 . store mnt
	start_daemon store mnt -o rw,quiet=0,allow_other
	chmod 644 mnt/k/a
	setpriv --reuid nobody --clear-groups deltafsctl accept mnt/k/a >said 2>&1 && fail "nobody accepted: $(cat said)"
	setpriv --reuid nobody --clear-groups deltafsctl revert mnt/k/a >said 2>&1 && fail "nobody reverted: $(cat said)"
	[ "$(n_kept)" = 1 ] || fail "nobody took the original"
fi
ln mnt/k/a mnt/k/link || fail "link"
[ "$(stat -c %h mnt/k/a)" = 2 ] || fail "st_nlink: $(stat -c %h mnt/k/a)"
rm mnt/k/a
sleep 1
# Kept still or gone with its name: either is said, and nothing worse happens.
deltafsctl accept mnt/k/link >said 2>&1 || [ $? = 1 ] || fail "accept of a second name: $(cat said)"
rm mnt/k/link

# While files come and go: what reverts is what was written, whole.
cat >churn.py <<'PY'
import os, random, subprocess, sys, threading, time
threading.excepthook = lambda lost: (threading.__excepthook__(lost), os._exit(1))  # the others would go on
A = open(sys.argv[1], "rb").read()
errors, counts = [], []
def told(path, name):
    try:
        return os.getxattr(path, "user.deltafs." + name)
    except OSError:
        return b""
def wait(path, what, seconds=100):
    end = time.monotonic() + seconds
    while not what() and time.monotonic() < end:
        time.sleep(0.02)
    return what()
def worker(number):
    rng, done, end = random.Random(number), 0, time.monotonic() + 40
    while time.monotonic() < end and not errors:
        path = f"mnt/k/{number}-{done}"
        with open(path, "wb") as f:
            f.write(A)
        if rng.random() < 0.7 and not wait(path, lambda: told(path, "kept")):
            errors.append(f"{path}: nothing is kept of it: {told(path, 'reason')}")
        if rng.random() < 0.3:
            os.rename(path, path + "-moved")
            path += "-moved"
        kept = told(path, "kept")
        what = rng.choice(("revert", "accept", "rm", "write"))
        if what == "rm":
            os.unlink(path)
        elif what == "write":
            with open(path, "r+b") as f:
                f.write(b"x")
        else:
            ran = subprocess.run(["deltafsctl", what, path], capture_output=True, text=True)
            if kept and ran.returncode:
                errors.append(f"{what} {path}: {ran.stderr}")
            if kept and what == "revert" and open(path, "rb").read() != A:
                errors.append(f"{path}: reverted to other bytes")
        if what != "rm":
            os.unlink(path)
        done += 1
    counts.append(done)
threads = [threading.Thread(target=worker, args=(i,)) for i in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sum(counts), "files")
sys.exit("\n".join(errors[:5]) if errors else 0)
PY
timeout -s KILL 200 python3 churn.py "$tune" || fail "churn: $(tail -5 "$log")"
none_left() { [ "$(find store/.deltafs/kept -type f | wc -l)" = 0 ]; }
retry 30 none_left || fail "kept for files that are gone: $(ls store/.deltafs/kept)"
alive

# Records that somebody with the store in his hands wrote lead to nothing outside it.
stop_daemon mnt
cp /etc/hostname victim && before=$(sha256sum <victim)
ln -s "$PWD/victim" store/.deltafs/kept/aaaaaaaaaaaaaaaa
head -c 9000 /dev/urandom >store/.deltafs/kept/bbbbbbbbbbbbbbbb.record
ln -s "$PWD/victim" store/.deltafs/kept/cccccccccccccccc.record
mkdir store/.deltafs/kept/dddddddddddddddd.record
start_daemon store mnt -o rw,quiet=0
[ "$(sha256sum <victim)" = "$before" ] || fail "a file outside the store was changed"
alive
stop_daemon mnt
