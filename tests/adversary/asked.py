# SPDX-License-Identifier: GPL-2.0-or-later
"""asked: runs a command at a terminal of its own and answers what it asks; and tells whether a tree is what it was."""
import hashlib
import os
import pty
import select
import signal
import sys
import time


def fail(error):
    raise error


def snapshot(*tops):
    """All that can be told of all below @tops, but for access times."""
    seen = {}
    for top in tops:
        for directory, _, names in os.walk(top, onerror=fail):
            for path in [directory] + [os.path.join(directory, name) for name in names]:
                st = os.lstat(path)
                content = b""
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, "rb") as f:
                        content = hashlib.sha256(f.read()).digest()
                attributes = tuple((name, os.getxattr(path, name, follow_symlinks=False))
                                   for name in sorted(os.listxattr(path, follow_symlinks=False)))
                seen[path] = (st.st_ino, st.st_mode, st.st_nlink, st.st_size, st.st_mtime_ns, st.st_ctime_ns,
                              content, attributes)
    return seen


def at_terminal(argv, answer, seconds=30):
    """@answer: bytes to type, a signal to send, or None to hang up. Return: exit status (-signal), what was said."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    said, asked, end = b"", False, time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                more = os.read(fd, 4096)
            except OSError:
                break
            if not more:
                break
            said += more
        if not asked and b"[y/N]" in said:
            asked = True
            if answer is None:
                os.close(fd)
                break
            if isinstance(answer, signal.Signals):
                os.kill(pid, answer)
            else:
                os.write(fd, answer)
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), said.decode(errors="replace")
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    sys.exit(f"{' '.join(argv)}: hangs at {answer!r}: {said!r}")
