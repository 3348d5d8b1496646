#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# exerciser: the exercisers agree with ext4 and tmpfs, which are right: what they demand of a mount can be had
# test: root timeout=300
. "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || skip "mounts file systems"

on_ext4 ext4
on_tmpfs tmpfs

# Refused by tmpfs: FALLOC_FL_ZERO_RANGE.
for seed in 1 2 3 $RANDOM; do
	exercise "" file_exerciser -s "$seed" -n 5000 ext4/file
	exercise "zero zero_keep" file_exerciser -s "$seed" -n 20000 tmpfs/file
	exercise "" tree_exerciser -s "$seed" -p 4 -n 3000 ext4
	exercise "" tree_exerciser -s "$seed" -p 4 -n 5000 tmpfs
	exercise "" stripes_exerciser -s "$seed" -p 4 -n 300 ext4/stripes
	exercise "" stripes_exerciser -s "$seed" -p 4 -n 300 tmpfs/stripes
done

# Files like those of a family of models, and rests in which nothing may change.
"$DFS_BUILD/tests/tools/make_pair" --params 100000 --seed 1 pair >/dev/null || fail "make_pair"
exercise "" tree_exerciser -p 2 -n 2000 -b pair/base/model.safetensors -r 100 ext4

# What was there before is as right as what we made.
cp pair/tune/model.safetensors ext4/kept
exercise "" file_exerciser -k -r 20 -n 1500 ext4/kept
cp pair/tune/model.safetensors ext4/kept	# it may have been left too short for stripes
exercise "" stripes_exerciser -k -r 20 -n 200 ext4/kept
