#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# unseen: a thousand files are compressed, and tar, rsync, inotify and stat see nothing; no two files ever show one number
# test: timeout=600 root
. "$(dirname "$0")/common.sh"
need rsync tar

n=1000
[ -z "$DFS_SAN" ] || n=100
"$DFS_BUILD/tests/tools/make_pair" --params 30000 --hidden 64 --vocab 128 --seed 84 orig >/dev/null || fail "make_pair"
mkdir store mnt
cp -r orig/base store/
deltafsctl base add store store/base >said 2>&1 || fail "base add: $(cat said)"
start_daemon store mnt -o rw,quiet=3600
mkdir mnt/many plain
for ((i = 0; i < n; i++)); do echo "$i"; done | xargs -I{} cp orig/tune/model.safetensors mnt/many/{} || fail "cp"
cp -a mnt/many/. plain/
stats() { (cd mnt && find many -printf '%p %i %n %m %U %G %s %T@ %C@\n' | sort); }
dumped() { tar --listed-incremental="$1" -cvf /dev/null -C mnt many 2>/dev/null | grep -v '/$'; }
stats >before
dumped snapshot >/dev/null
cp snapshot once
[ "$(dumped once | wc -l)" = 0 ] || fail "not compressed yet, and tar reads $(dumped once | wc -l) files"

# Whatever happens below mnt/many, until its end.
cat >watch.py <<'PY'
import ctypes, os, select, sys
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(0)
# all but IN_ACCESS, IN_OPEN and IN_CLOSE_NOWRITE, which reading makes
if libc.inotify_add_watch(fd, b"mnt/many", 0xfff & ~0x31) < 0:
    sys.exit("inotify_add_watch")
open("watching", "w").close()
seen = 0
while not os.path.exists("enough"):
    if select.select([fd], [], [], 0.1)[0]:
        os.read(fd, 65536)
        seen += 1
print(seen)
PY
python3 watch.py >seen &
watcher=$!
retry 10 test -e watching
deltafsctl encode -r mnt/many >encoded 2>&1 || fail "encode: $(tail -3 encoded)"
coded=$(find store/many -type f -size -"$(($(stat -c %s orig/tune/model.safetensors) / 1024 / 2))"k | wc -l)
[ "$coded" = "$n" ] || fail "$coded of $n are compressed"
: >enough
wait "$watcher" || fail "the watcher"
[ "$(cat seen)" = 0 ] || fail "inotify tells of $(cat seen) changes"
stats | diff before - >different || fail "stat tells of it: $(head -4 different)"
cp snapshot once
[ "$(dumped once | wc -l)" = 0 ] || fail "tar reads $(dumped once | wc -l) files again"
[ -z "$(rsync -ani --delete plain/ mnt/many/)" ] || fail "rsync: $(rsync -ani plain/ mnt/many/ | head -3)"

# A thousand more: none has the number of another.
mkdir mnt/more
for ((i = 0; i < n; i++)); do : >"mnt/more/$i"; done
twice=$(find mnt -type f -printf '%i\n' | sort | uniq -d | wc -l)
[ "$twice" = 0 ] || fail "$twice numbers are shown of two files"
stats | diff before - >different || fail "after the newcomers: $(head -4 different)"
diff -r plain mnt/many >/dev/null || fail "bytes"
stop_daemon mnt

# After a remount each may be read once more, and then no more.
start_daemon store mnt -o rw,quiet=3600
[ "$(dumped snapshot | wc -l)" -le "$n" ] || fail "a file is read twice"
[ "$(dumped snapshot | wc -l)" = 0 ] || fail "read once more after the remount, and again"
stop_daemon mnt
