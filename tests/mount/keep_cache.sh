#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# keep_cache: a file that was read is read again without one request, by other processes too
. "$(dirname "$0")/common.sh"

make_store --params 2000000 --seed 9
start_daemon store mnt
for f in tune base; do
	sum=$(sha256sum <orig/$f/model.safetensors)
	[ "$(sha256sum <mnt/$f/model.safetensors)" = "$sum" ] || fail "$f: bytes"
	before=$(status read_requests)
	[ "$before" -gt 0 ] || fail "nothing was counted"
	for i in 1 2 3; do
		[ "$(sha256sum <mnt/$f/model.safetensors)" = "$sum" ] || fail "$f: bytes"
	done
	python3 -c 'import mmap, sys
with open(sys.argv[1], "rb") as f, mmap.mmap(f.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ) as m:
    sum(m[::4096])' mnt/$f/model.safetensors || fail "mmap"
	[ "$(status read_requests)" = "$before" ] || fail "$f: $(($(status read_requests) - before)) requests for what was read"
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
