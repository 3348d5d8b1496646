# SPDX-License-Identifier: GPL-2.0-or-later
"""progress: runs a command on a terminal of its own and says what a user would have seen.

	progress.py [--columns N[,N]...] [--key BAR:KEY] [--pipe stdout|stderr] COMMAND...

Several widths: the window is resized to the next one after each third bar. A
KEY is typed when so many bars were seen (`3:\\x03` is Ctrl-C after the third).
Prints one JSON object: bars (each line as drawn over with \\r, in order), screen
(the lines that stand there in the end), wrapped (lines that went beyond the
window's width), piped (what went into the pipe), status.
"""
import argparse
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios


def resize(fd, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


class Screen:
    """As much of a terminal as a progress bar needs: text, \\r, \\n and 'erase to the end of the line'."""

    def __init__(self, columns):
        self.columns, self.rows, self.row, self.bars, self.wrapped = columns, [], "", [], []
        self.at, self.pending = 0, ""

    def feed(self, text):
        self.pending += text
        while self.pending:
            got = re.match(r"\x1b\[K|\x1b(\[?$|.)|[\r\n]|[^\x1b\r\n]+", self.pending)
            token = got.group()
            if token in ("\x1b", "\x1b["):
                return  # the rest comes with the next read
            self.pending = self.pending[len(token):]
            self.take(token)

    def take(self, token):
        if token == "\x1b[K":
            self.row = self.row[:self.at]
            if self.row:
                self.bars.append(self.row)
        elif token == "\r":
            self.at = 0
        elif token == "\n":
            self.rows.append(self.row)
            self.row, self.at = "", 0
        elif token.startswith("\x1b"):
            sys.exit(f"progress: an escape sequence that no bar needs: {token!r}")
        else:
            self.row = self.row[:self.at] + token + self.row[self.at + len(token):]
            self.at += len(token)
            if self.at >= self.columns and "%" in token:
                self.wrapped.append((self.columns, token))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", default="80")
    parser.add_argument("--key")
    parser.add_argument("--pipe", choices=["stdout", "stderr"])
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    widths = [int(n) for n in args.columns.split(",")]
    when, key = args.key.split(":", 1) if args.key else (0, "")
    key = key.encode().decode("unicode_escape").encode()
    master, slave = pty.openpty()
    resize(master, widths[0])

    def own_terminal():
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    ends = {"stdout": slave, "stderr": slave}
    if args.pipe:
        ends[args.pipe] = subprocess.PIPE
    child = subprocess.Popen(args.command, stdin=slave, preexec_fn=own_terminal, **ends)
    os.close(slave)
    screen, piped, pipe = Screen(widths[0]), b"", getattr(child, args.pipe) if args.pipe else None
    readers = [master] + ([pipe.fileno()] if pipe else [])
    while readers:
        for fd in select.select(readers, [], [])[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:  # the last one has left the terminal
                data = b""
            if not data:
                readers.remove(fd)
            elif fd == master:
                screen.feed(data.decode(errors="surrogateescape"))
            else:
                piped += data
        if len(screen.bars) // 3 < len(widths) and widths[len(screen.bars) // 3] != screen.columns:
            screen.columns = widths[len(screen.bars) // 3]
            resize(master, screen.columns)
            screen.grace = len(screen.bars)
        if key and len(screen.bars) >= int(when):
            os.write(master, key)
            key = b""
    json.dump({"bars": screen.bars, "screen": screen.rows + ([screen.row] if screen.row else []),
               "wrapped": screen.wrapped, "piped": piped.decode(errors="backslashreplace"),
               "status": child.wait()}, sys.stdout)


main()
