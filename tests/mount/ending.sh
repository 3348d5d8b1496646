#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ending: who has unmounted a store may write to it at once, and need not know that its daemon takes a moment to end
. "$(dirname "$0")/common.sh"

make_store --params 200000 --hidden 128 --vocab 256 --seed 3
start_daemon store mnt -o rw
expect_fail 8 "has it mounted on" fsck.deltafs -p store

# One that does not get to it: its mount is gone, and its lock is not.
kill -STOP "$daemon"
umount -l mnt 2>/dev/null || fusermount3 -uz mnt || fail "unmount"
fsck.deltafs -p store >said 2>&1 &
checker=$!
sleep 1
kill -0 "$checker" 2>/dev/null || fail "nobody waited: $(cat said)"
kill -CONT "$daemon"
wait "$checker" || fail "fsck.deltafs -p: $(cat said)"
wait "$daemon"

# One that never ends is told of.
start_daemon store mnt -o rw
kill -STOP "$daemon"
umount -l mnt 2>/dev/null || fusermount3 -uz mnt || fail "unmount"
expect_fail 1 "has it mounted on" timeout 60 deltafsctl encode store/tune/model.safetensors
kill -CONT "$daemon"
wait "$daemon"
true
