#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# settled_slowly: promise 7: a base on a slow disk is hashed in the background: no read waits for it, and neither does umount.
# test: timeout=240 root nosan
. "$(dirname "$0")/common.sh"
need nbdkit nbdfuse

given_pair
"$DFS_BUILD/tests/tools/make_pair" --params 30000000 --hidden 1024 --vocab 512 --seed 3 other >/dev/null
size=$(stat -c %s other/base/model.safetensors)
# The base of `far` is a file that gives 1 MB/s when told so.
mkdir far && : >far/model.safetensors
nbdfuse far/model.safetensors --command nbdkit -s --filter=rate file other/base/model.safetensors \
	rate=100G rate-file="$DFS_TMP/rate" >nbd.log 2>&1 &
server=$!
at_end "umount far/model.safetensors 2>/dev/null; kill $server 2>/dev/null; wait $server 2>/dev/null"
has_size() { [ "$(stat -c %s far/model.safetensors)" = "$size" ]; }
retry 20 has_size || fail "nbdfuse: $(cat nbd.log)"
deltafsctl base add --by-reference store far/model.safetensors >said 2>&1 || fail "base add: $(cat said)"
cp -r other/tune store/far && deltafsctl encode store/far/model.safetensors >said 2>&1 || fail "encode: $(cat said)"
rm -f store/.deltafs/hashes/*
evict far/model.safetensors
echo 8M >rate

# thread: the one that settles; taken: bytes that it has read.
thread() { grep -l '^settle/' /proc/"$(daemon_pid)"/task/*/comm | xargs -n 1 dirname; }
taken() { awk '/^rchar/ { print $2 }' "$(thread)/io"; }
under_way() { [ "$(taken)" -gt 1000000 ]; }

start_daemon store mnt
[ -n "$(thread)" ] || fail "no thread settles"
begin=$SECONDS
dd if=mnt/far/model.safetensors bs=4k count=1 iflag=skip_bytes skip=20M status=none |
	cmp - <(dd if=other/tune/model.safetensors bs=4k count=1 iflag=skip_bytes skip=20M status=none) || fail "wrong bytes"
[ $((SECONDS - begin)) -lt 20 ] || fail "the first read took $((SECONDS - begin)) s"
retry 60 under_way || fail "the base is not being hashed: the test proves nothing"
at=$(taken)
[ "$at" -lt $((size / 2)) ] || fail "the disk is not slow"
begin=$SECONDS
timeout 20 cmp mnt/tune/model.safetensors orig/tune/model.safetensors || fail "another file waits for it"
begin=$SECONDS
stop_daemon mnt
[ $((SECONDS - begin)) -lt 10 ] || fail "umount waited $((SECONDS - begin)) s for a base to be hashed"

# At its leisure it is done, and tells what was altered before anybody reads that.
echo 100G >rate
sleep 2 # the disk's debt
flip other/base/model.safetensors $((size - 1000))
evict far/model.safetensors
start_daemon store mnt
dd if=mnt/far/model.safetensors of=/dev/null bs=4k count=1 iflag=skip_bytes skip=20M status=none || fail "an intact chunk"
told() { grep -q 'other content' "$log"; }
retry 60 told || fail "the log does not tell: $(cat "$log")"
stop_daemon mnt
