#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# F2: a container that a user copies in reads back its own bytes, however it came; one crafted over a private base shows nothing of it.
# test: timeout=600 root
. "$(dirname "$0")/common.sh"

make_base --params 60000 --hidden 64 --vocab 256 --seed 391
# codec copy, the whole of it: what a thief would write. And an ordinary one, and one that shows a container.
deltafsctl encode --base store/base orig/base/model.safetensors -o theft >/dev/null || fail "encode"
deltafsctl encode --base store/base "$original" -o coded >/dev/null || fail "encode"
cp "$DFS_SRC/tests/corpus/good-nested" nested
chmod 600 store/base/model.safetensors && chmod 700 store/base
chmod 777 store

# As a user who may not read the base: each way to bring bytes in.
cat >ways.py <<'PY'
import mmap, os, sys
way, source, target = sys.argv[1:4]
data = open(source, "rb").read()
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
try:
    open("mnt/base/model.safetensors", "rb")
    sys.exit("the base is not private")
except PermissionError:
    pass
def put(path, pieces, flags=0):
    fd = os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o644)
    for at, piece in pieces:
        os.pwrite(fd, piece, at)
    return fd
if way == "whole":
    os.close(put(target, [(0, data)]))
elif way == "backwards":
    os.close(put(target, [(at, data[at:at + 1000]) for at in reversed(range(0, len(data), 1000))]))
elif way == "bytes":
    os.close(put(target, [(at, data[at:at + 1]) for at in range(64)] + [(64, data[64:])]))
elif way == "tail first":
    fd = put(target, [(len(data) - 256, data[-256:]), (256, data[256:-256])])
    os.close(fd)
    fd = os.open(target, os.O_WRONLY)
    os.pwrite(fd, data[:256], 0)
    os.close(fd)
elif way == "mapped":
    fd = put(target, [(len(data) - 1, b"\0")])
    m = mmap.mmap(fd, len(data))
    m[:] = data
    m.flush()
    os.close(fd)
    m[0:1] = data[0:1]
    m.close()
elif way == "renamed":
    os.close(put(target + ".part", [(0, data)]))
    os.rename(target + ".part", target)
elif way == "copied":
    fd = put(target + ".part", [(0, data)])
    out = os.open(target, os.O_RDWR | os.O_CREAT, 0o644)
    done = 0
    while done < len(data):
        done += os.copy_file_range(fd, out, len(data) - done, done, done)
    os.close(fd)
    os.close(out)
    os.unlink(target + ".part")
elif way == "moved within":
    fd = put(target, [(0, b"x" * 4096), (4096, data)])
    os.close(fd)
    fd = os.open(target, os.O_RDWR)
    os.copy_file_range(fd, fd, 4096, 4096, 0)
    os.pwrite(fd, data[4096:], 4096)
    os.ftruncate(fd, len(data))
    os.close(fd)
elif way == "over":
    os.close(put(target, [(0, b"\0" * (len(data) + 5000))]))
    os.close(put(target, [(0, data)], os.O_TRUNC))
elif way == "cut":
    os.close(put(target, [(0, data + b"more")]))
    os.truncate(target, len(data))
elif way == "appended":
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for at in range(0, len(data), 7777):
        os.write(fd, data[at:at + 7777])
    os.close(fd)
elif way == "marked":
    os.close(put(target, [(0, data)]))
    for name in ("user.deltafs.container", "trusted.deltafs.container", "user.deltafs.plain", "trusted.deltafs.plain"):
        for act in (lambda: os.setxattr(target, name, b"\0" * 24), lambda: os.removexattr(target, name)):
            try:
                act()
                sys.exit(f"{name} was accepted")
            except OSError:
                pass
PY

ways=(whole backwards bytes "tail first" mapped renamed copied "moved within" over cut appended marked)
shows_itself() {
	local i=0 way source
	for source in theft coded nested; do
		for way in "${ways[@]}"; do
			[ "$source" = theft ] || [ "$way" = whole ] || [ "$way" = mapped ] || continue
			evict "mnt/$source.$way"
			cmp "$source" "mnt/$source.$way" || fail "$1: $source, $way: it does not show what was written"
			[ "$(stat -c %s "mnt/$source.$way")" = "$(stat -c %s "$source")" ] || fail "$1: $source, $way: size"
			i=$((i + 1))
		done
	done
	shown=$((shown + i))
}

shown=0
for options in "" nowriteback; do
	start_rw "allow_other,$options"
	for source in theft coded nested; do
		for way in "${ways[@]}"; do
			[ "$source" = theft ] || [ "$way" = whole ] || [ "$way" = mapped ] || continue
			python3 ways.py "$way" "$source" "mnt/$source.$way" || fail "$source, $way"
		done
	done
	sync mnt/*
	shows_itself "${options:-writeback}, at once"
	sleep 2
	shows_itself "${options:-writeback}, at rest"
	kill_daemon
	start_rw "allow_other,$options"
	shows_itself "${options:-writeback}, after kill -9"
	sleep 1
	stop_daemon mnt
	DFS_WRAP=./own_share start_daemon store mnt -o ro
	shows_itself "${options:-writeback}, read-only"
	stop_daemon mnt
	rm -f store/theft.* store/coded.* store/nested.*
done
# The same bytes put into the store by its owner are a container: the fault is one.
cp theft store/owner
start_rw
cmp mnt/owner orig/base/model.safetensors || fail "a container in the store is not read: this test shows nothing"
# Copied within the mount, a container is the file that it shows.
cp mnt/owner mnt/copy && cmp mnt/copy orig/base/model.safetensors || fail "copied within"
stop_daemon mnt
is_tidy "in the end"
echo "ways ${#ways[@]}"
faults_fired "$shown" 100
