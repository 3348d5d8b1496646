#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# gone_behind: promise 7, no request waits for ever: files removed, renamed and replaced behind the mount while the kernel believes in them, then every operation on them.
# test: timeout=120
. "$(dirname "$0")/common.sh"

mkdir store mnt
start_daemon store mnt -o rw,quiet=0
cat >operations.py <<'PY'
import ctypes, errno, os, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
os.chdir("mnt")
def exchange(name):
    if libc.renameat2(-100, name.encode(), -100, b"other", 2) < 0:
        raise OSError(ctypes.get_errno(), "exchange")
operations = {
    "link": lambda name: os.link(name, name + "2"),
    "rename": lambda name: os.rename(name, name + "2"), "exchange": exchange,
    "rename over": lambda name: os.rename("other", name), "unlink": os.unlink,
    "chmod": lambda name: os.chmod(name, 0o600), "chown": lambda name: os.chown(name, 0, 0),
    "utime": os.utime, "truncate": lambda name: os.truncate(name, 3), "empty": lambda name: os.truncate(name, 0),
    "setxattr": lambda name: os.setxattr(name, "user.x", b"1"), "getxattr": lambda name: os.getxattr(name, "user.x"),
    "read": lambda name: open(name, "rb").read(), "write": lambda name: open(name, "r+b").write(b"x"),
    "create": lambda name: os.open(name, os.O_CREAT | os.O_RDWR | os.O_TRUNC),
}
def removed(path): os.unlink(path)
def moved(path): os.rename(path, path + ".moved")
def replaced(path):
    open(path + ".new", "w").write("new")
    os.rename(path + ".new", path)
def edited(path): open(path, "a").write("more")
def directory(path):
    os.unlink(path)
    os.mkdir(path)
def loop(path):
    os.unlink(path)
    os.symlink(os.path.basename(path), path)
allowed = {errno.ENOENT, errno.ESTALE, errno.EISDIR, errno.ELOOP, errno.ENODATA, errno.EEXIST, errno.ENOTDIR, errno.ENOTEMPTY, errno.EPERM}
tried = failed = 0
for change in (removed, moved, replaced, edited, directory, loop):
    for held in (False, True):
        for what, operation in operations.items():
            name = f"{change.__name__}-{what}-{held}".replace(" ", "-")
            for made in (name, "other"):
                if os.path.isdir(f"../store/{made}"):
                    os.rmdir(f"../store/{made}")
                open(f"../store/{made}", "w").write("old")
            os.stat(name), os.stat("other")
            fd = os.open(name, os.O_RDONLY) if held else -1
            change(f"../store/{name}")
            try:
                operation(name)
            except OSError as error:
                failed += 1
                if error.errno not in allowed:
                    sys.exit(f"{name}: {error}")
            if held:
                os.close(fd)
            tried += 1
print(tried, "operations,", failed, "refused")
PY
timeout -s KILL 60 python3 operations.py &
pid=$!
ended() { ! kill -0 "$pid" 2>/dev/null; }
# Who waits in the kernel cannot be killed: end the connection instead.
if ! retry 60 ended; then
	kill -9 "$daemon"
	fail "an operation never ends"
fi
wait "$pid" || fail "an operation failed as it must not, or did not end"
kill -0 "$daemon" || fail "the daemon died"
stop_daemon mnt
