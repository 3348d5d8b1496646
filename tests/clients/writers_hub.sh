#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# writers_hub: what huggingface_hub downloads into a mount that compresses at once, or had downloaded before there was one, is what the hub has, and hf cache verify says so
# test: timeout=900
. "$(dirname "$0")/writers_common.sh"

writers_need
given_writable
writer "$DFS_PYTHON" hub
all_small "downloaded"
stop_daemon mnt

# A cache on the file system below, mounted later: left alone until it is asked for.
rm -r store/hub store/hub-local && written=()
into=store writer "$DFS_PYTHON" hub "" "" fill
mount_writable
settle "a cache that was there"
for name in "${!written[@]}"; do
	[ "$(told state "mnt/$name")" = plain ] || fail "$name was there before the mount, and is $(told state "mnt/$name")"
done
deltafsctl encode -r mnt/hub >said 2>&1 || fail "encode -r: $(cat said)"
all_small "encoded"
writer "$DFS_PYTHON" hub "" "" verify
all_stays
