#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# many_names: a directory of a hundred thousand files is listed whole, each name once, with the attributes it has, also while others come and go
# test: timeout=300 root nosan
. "$(dirname "$0")/common.sh"

n=100000
mkdir -p store/many mnt
python3 -c '
import os, sys
os.chdir("store/many")
for i in range(int(sys.argv[1])):
    os.close(os.open(f"file-{i}", os.O_CREAT | os.O_WRONLY, 0o600 + i % 64))' $n
for options in ro rw,noingest; do
	start_daemon store mnt -o $options
	python3 - $n $options <<'PY' || fail "$options"
import os, sys, threading
threading.excepthook = lambda lost: (threading.__excepthook__(lost), os._exit(1))  # the others would go on
n, writes = int(sys.argv[1]), sys.argv[2].startswith("rw")
done = threading.Event()
def churn():
    i = 0
    while not done.is_set():
        name = f"mnt/many/passing-{i % 50}"
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
        os.rename(name, name + "-moved")
        os.unlink(name + "-moved")
        i += 1
threads = [threading.Thread(target=churn)] if writes else []
for thread in threads: thread.start()
try:
    for _ in range(2):
        seen = {}
        with os.scandir("mnt/many") as entries:
            for entry in entries:
                if entry.name.startswith("file-"):
                    assert entry.name not in seen, entry.name + " twice"
                    seen[entry.name] = entry.inode()
        assert len(seen) == n, f"{len(seen)} of {n}"
finally:
    done.set()
    for thread in threads: thread.join()
for i in range(0, n, 97):
    there, here = os.stat(f"store/many/file-{i}"), os.stat(f"mnt/many/file-{i}")
    assert (there.st_mode, there.st_mtime_ns, there.st_ino) == (here.st_mode, here.st_mtime_ns, here.st_ino) and seen[f"file-{i}"] == here.st_ino, i
PY
	[ "$(ls -l mnt/many | grep -c ' file-')" = $n ] || fail "$options: ls -l lists $(ls -l mnt/many | grep -c ' file-')"
	stop_daemon mnt
done
