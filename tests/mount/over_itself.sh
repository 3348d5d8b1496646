#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# over_itself: a mount over its own store, and one inside it, that does not lead into itself
# test: tsan userns
. "$(dirname "$0")/common.sh"

make_store --params 300000 --seed 6
start_daemon store store
timeout 60 cmp orig/tune/model.safetensors store/tune/model.safetensors || fail "bytes"
timeout 60 find store >/dev/null || fail "find"
[ ! -e store/.deltafs ] || fail ".deltafs shows"
expect_fail 1 'mounted there already' deltafs store store
stop_daemon store
start_daemon store store -o rw,quiet=0
cp orig/tune/model.safetensors store/copied
retry 200 eval '[ "$(getfattr --only-values -n user.deltafs.state store/copied)" = container ]' || fail "not compressed"
cmp orig/tune/model.safetensors store/copied && rm store/copied || fail "written over itself"
stop_daemon store
[ ! -e store/copied ] || fail "removed, and there below"
[ -e store/.deltafs ] || fail "the store itself is not seen again"

mkdir -p store/views/mnt
start_daemon store store/views/mnt
timeout 60 cmp orig/tune/model.safetensors store/views/mnt/tune/model.safetensors || fail "a mount inside its store"
[ "$(timeout 60 find store/views/mnt -name mnt | wc -l)" = 1 ] || fail "it leads into itself"
[ ! -e store/views/mnt/views/mnt ] || fail "its own mountpoint shows"
stop_daemon store/views/mnt

# The base named through a path that the mount covers.
start_daemon store store -o "base=$DFS_TMP/store/base"
timeout 60 cmp orig/tune/model.safetensors store/tune/model.safetensors || fail "a base below the mount"
stop_daemon store

# A mount of a mount.
mkdir outer
start_daemon store mnt
inner=$daemon
start_daemon mnt outer
timeout 60 cmp orig/tune/model.safetensors outer/tune/model.safetensors || fail "a mount of a mount"
stop_daemon outer
daemon=$inner
stop_daemon mnt

# A base that can only be found through the mount, where it is a container
# itself: an error, not a daemon that waits for itself.
mkdir -p ring/models lower
"$DFS_BUILD/tests/tools/make_pair" --params 100000 --seed 61 lower/a >/dev/null
"$DFS_BUILD/tests/tools/make_pair" --params 100000 --seed 62 lower/b >/dev/null
cp lower/a/tune/model.safetensors lower/middle.safetensors
deltafsctl encode --base lower/a/base lower/middle.safetensors -o ring/models/middle.safetensors || fail "encode"
python3 - lower/middle.safetensors lower/top.safetensors <<'PY'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
for at in range(len(data) // 2, len(data), 64):
    data[at] ^= 1
open(sys.argv[2], "wb").write(data)
PY
deltafsctl encode --base lower/middle.safetensors lower/top.safetensors -o ring/models/top.safetensors || fail "encode"
# What the daemon looks at through its own mount keeps that busy for a moment, not longer.
unmounts() { umount "$1" 2>/dev/null || fusermount3 -u "$1" 2>/dev/null; }
stop_daemon() {
	retry 10 unmounts "$1" || fail "umount $1: busy for 10 s"
	wait "$daemon" || fail "the daemon ended with $?: $(tail -3 "$log")"
}

start_daemon ring ring -o "threads=1,base=$DFS_TMP/ring/models/middle.safetensors,base=$DFS_TMP/lower/a/base"
timeout 60 cmp lower/middle.safetensors ring/models/middle.safetensors || fail "a container over a plain base"
expect_fail any 'Input/output error' timeout 60 cmp lower/top.safetensors ring/models/top.safetensors
stop_daemon ring
start_daemon ring ring -o "threads=1,base=$DFS_TMP/ring/models/middle.safetensors"
expect_fail any 'Input/output error' timeout 60 cmp lower/top.safetensors ring/models/top.safetensors
grep -q 'leads into this very mount, to a container' "$log" || fail "that is not logged: $(cat "$log")"
stop_daemon ring
