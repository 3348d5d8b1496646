#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# keep_cache: a file that was read is read again without one request, by other processes too
. "$(dirname "$0")/common.sh"

# again FILE SUM: three readers and a mapping; how many requests it took is in $asked.
again() {
	local before i
	before=$(status read_requests)
	for i in 1 2 3; do
		[ "$(sha256sum <"$1")" = "$2" ] || fail "$1: bytes"
	done
	python3 -c 'import mmap, sys
with open(sys.argv[1], "rb") as f, mmap.mmap(f.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ) as m:
    sum(m[::4096])' "$1" || fail "mmap"
	asked=$(($(status read_requests) - before))
}

make_store --params 2000000 --seed 9
start_daemon store mnt
for f in tune base; do
	shown=mnt/$f/model.safetensors
	sum=$(sha256sum <orig/$f/model.safetensors)
	[ "$(sha256sum <$shown)" = "$sum" ] || fail "$f: bytes"
	[ "$(status read_requests)" -gt 0 ] || fail "nothing was counted"
	# A kernel may take pages back at any moment, and some do without need:
	# that is asked for again. Not so every time.
	for attempt in $(seq 20); do
		again $shown "$sum"
		[ "$asked" = 0 ] && break
	done
	[ "$asked" = 0 ] || fail "$f: $asked requests for what was read, $attempt times in a row"
done
# Each chunk was decoded once, though many looked at it; unless the kernel gave
# up pages in between, as it may, and asked for them again.
chunks=$(deltafsctl info --json store/tune/model.safetensors |
	python3 -c 'import json, sys; print(sum(c["chunks"] for c in json.load(sys.stdin)["codecs"].values()))') || fail "info"
[ "$(status chunks_decoded)" -le "$chunks" ] ||
	[ "$(status bytes_delivered)" -gt "$(stat -c %s orig/tune/model.safetensors)" ] || fail "$(status chunks_decoded) chunks decoded, the file has $chunks"

# What was changed behind the mount is read anew.
cp orig/base/model.safetensors store/new && mv store/new store/tune/model.safetensors
changed() { cmp -s orig/base/model.safetensors mnt/tune/model.safetensors; }
retry 10 changed || fail "the old pages stay"
stop_daemon mnt
