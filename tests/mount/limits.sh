#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# limits: a store on a file system without extended attributes is shown, and what that means is said at mount
# test: root
. "$(dirname "$0")/common.sh"

make_store --params 100000 --seed 9
mkdir bare
mount -t ramfs none bare || skip "no ramfs"
setfattr -n user.x -v 1 bare 2>/dev/null && skip "ramfs has extended attributes here"
cp -r store bare/
start_daemon bare/store mnt
said() { grep -q 'no extended attributes' "$log"; }
retry 5 said || fail "not said: $(cat "$log")"
cmp mnt/tune/model.safetensors orig/tune/model.safetensors || fail "wrong bytes"
stop_daemon mnt
start_daemon store mnt
ls mnt >/dev/null
grep -q 'this file system has no' "$log" && fail "said of a file system that has all: $(cat "$log")"
stop_daemon mnt
