#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C5: a disk that fails: EIO; and right again without a remount when it works again.
# test: timeout=300 root
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"
. "$DFS_SRC/tests/lib/disk.sh"
disk_need

make_store --params 3000000 --hidden 512 --vocab 1024 --seed 81
disk_make 128M --filter=error file disk.img error-pread=EIO error-pread-rate=100% \
	error-pread-file="$DFS_TMP/fail"
cp -a store disk/ && sync -f disk

start_daemon disk/store mnt
shown=mnt/tune/model.safetensors original=orig/tune/model.safetensors
everything_cold() { disk_cold "$shown" disk/store/tune/model.safetensors disk/store/base/model.safetensors; }
everything_cold
cmp "$shown" "$original" || fail "wrong before anything failed"
touch fail
everything_cold
pages "$shown" "$original"
fired=$refused
[ "$wrong" = 0 ] || fail "$wrong pages wrong"
grep -q 'model.safetensors' "$log" || fail "the log names no file"
rm fail
everything_cold
pages "$shown" "$original"
[ "$refused$wrong" = 00 ] || fail "after the disk recovered: refused $refused, wrong $wrong"
stop_daemon mnt
faults_fired "$fired"
