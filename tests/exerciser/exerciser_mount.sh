#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# exerciser_mount: a writable mount does to the exercisers what ext4 does: new files, containers, trees
# test: root timeout=600
. "$(dirname "$0")/../mount/common.sh"
. "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || skip "trees with attributes of every kind"

make_store --params 100000 --seed 11
start_daemon store mnt -o rw,noingest

mkdir mnt/trees
for seed in 1 2 $RANDOM; do
	exercise "" file_exerciser -s "$seed" -n 4000 mnt/file
	exercise "" tree_exerciser -s "$seed" -p 4 -n 1000 mnt/trees
	exercise "" stripes_exerciser -s "$seed" -p 4 -n 500 mnt/stripes
done

# A container, which the first change thaws, and becomes one again.
exercise "" file_exerciser -s 3 -n 2000 -k -r 200 mnt/tune/model.safetensors

# With the encoder at their heels: what is at rest for a moment becomes a container.
stop_daemon mnt
start_daemon store mnt -o rw,quiet=0
cp orig/tune/model.safetensors mnt/tune/model.safetensors
was_compressed() { grep -q compressed "$log"; }
retry 120 was_compressed
was_compressed || fail "nothing is compressed: $(cat "$log")"
exercise "" file_exerciser -s 4 -n 2000 -k -r 200 mnt/tune/model.safetensors
exercise "" stripes_exerciser -s 4 -p 4 -n 300 -c 10 -k -r 1000 mnt/tune/model.safetensors
exercise "" tree_exerciser -s 4 -p 2 -n 1000 -b orig/base/model.safetensors -r 500 mnt/trees

# What the mount shows is what the store holds.
cp mnt/tune/model.safetensors last
stop_daemon mnt
start_daemon store mnt -o rw
cmp mnt/tune/model.safetensors last || fail "after a remount: other bytes"
[ -z "$(ls -A mnt/trees)" ] || fail "left in the trees: $(ls -A mnt/trees)"
stop_daemon mnt
