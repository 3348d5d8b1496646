#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# hostile_sizes: promise 9, a hostile file is an error message: superblocks of impossible sizes, their hashes right.
# test: timeout=120 nosan
. "$(dirname "$0")/common.sh"

given_pair
forge hostile store/tune/model.safetensors store/h
n=$(find store -name 'h-*' | wc -l)
[ "$n" -gt 70 ] || fail "only $n forgeries"
start_daemon store mnt -o cache=32M
timeout 20 ls -l mnt >listed || fail "ls"
[ "$(grep -c ' h-' listed)" = "$n" ] || fail "some of $n names are missing"
awk '/ h-/ && ($5 < 0 || $5 > 281474976710656) { print; exit 1 }' listed || fail "an impossible size is shown"
for file in mnt/h-*; do
	timeout 20 head -c 3000000 "$file" >got 2>/dev/null
	[ ! -s got ] || fail "$file gives $(stat -c %s got) bytes"
done
[ "$(peak)" -lt $(((32 + 64) * 1024)) ] || fail "$(peak) KiB of memory"
echo "$n containers, peak $(peak) KiB"
alive
stop_daemon mnt
