#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shows: a store's files as they are, containers as the files they were, .deltafs not at all
# test: tsan userns
. "$(dirname "$0")/common.sh"

make_store --params 300000 --seed 1
mkdir -p store/dir/deeper
echo plain >store/dir/plain.txt
chmod 640 store/dir/plain.txt
touch -d '2001-02-03 04:05:06.123456789' store/dir/plain.txt
ln store/dir/plain.txt store/dir/second
ln -s ../dir/plain.txt store/dir/link
ln -s /nowhere store/dangling
mkfifo store/dir/fifo
touch store/empty
truncate -s 5M store/holes
chmod 4755 store/dir/second 2>/dev/null
start_daemon store mnt

[ "$(ls -A mnt | tr '\n' ' ')" = "base dangling dir empty holes tune " ] || fail "ls: $(ls -A mnt)"
[ ! -e mnt/.deltafs ] || fail ".deltafs can be reached"
for f in dir/plain.txt dir/second dir/link dir/fifo empty dangling dir dir/deeper; do
	same "store/$f" "mnt/$f" '%F %a %u %g %h %i %s %y %z'
done
[ "$(readlink mnt/dir/link)" = ../dir/plain.txt ] || fail "readlink"
[ "$(cat mnt/dir/link)" = plain ] || fail "through a link"
same store/tune/model.safetensors mnt/tune/model.safetensors '%F %a %u %g %h %i %y'
same orig/tune/model.safetensors mnt/tune/model.safetensors %s
cmp orig/tune/model.safetensors mnt/tune/model.safetensors || fail "the fine-tune"
cmp orig/base/model.safetensors mnt/base/model.safetensors || fail "the base"
cmp store/holes mnt/holes || fail "a file of holes"
[ "$(find mnt -type f | wc -l)" = "$(find store -name .deltafs -prune -o -type f -print | wc -l)" ] || fail "find counts other files"

# du tells what is stored.
[ "$(du -k mnt/tune/model.safetensors | cut -f1)" = "$(du -k store/tune/model.safetensors | cut -f1)" ] || fail "du"
[ "$(stat -fc '%b %S' mnt)" = "$(stat -fc '%b %S' store)" ] || fail "statfs"

grep -q "^$DFS_TMP/store $DFS_TMP/mnt fuse.deltafs ro," /proc/mounts || fail "/proc/mounts: $(grep mnt /proc/mounts)"
expect_fail any 'No such file' stat mnt/nothing
stop_daemon mnt
