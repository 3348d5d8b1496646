#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# options: each does what --help says; a wrong one names the right one
# test: userns
. "$(dirname "$0")/common.sh"

make_store --params 300000 --seed 2
for word in ro base codec cache threads readahead quiet noingest nowriteback blocks log allow_other; do
	deltafs --help | grep -q -- "-o $word" || fail "--help does not tell of $word"
done
deltafs -h | grep -q '^Usage: deltafs' || fail "-h"
deltafs -V | grep -q '^container format: reads 1' || fail "-V"
deltafs --version | grep -q 'kernels: portable' || fail "--version"

expect_fail 2 'unknown option "cahce"; did you mean "cache"' deltafs -o cahce=1G store mnt
expect_fail 2 'unknown option "qqqqqqqq"; --help' deltafs -o qqqqqqqq store mnt
expect_fail 2 'option cache: "many" is not a size' deltafs -o cache=many store mnt
expect_fail 2 'option cache needs a value' deltafs -o cache store mnt
expect_fail 2 'option ro takes no value' deltafs -o ro=1 store mnt
expect_fail 2 'option threads: "-1" is not a number' deltafs -o threads=-1 store mnt
expect_fail 2 'option blocks: "both" is not stored or logical' deltafs -o blocks=both store mnt
expect_fail 2 'exat.*exact' deltafs -o codec=exat store mnt
expect_fail 2 'unknown option "mask"; one of codec= has a backslash before its comma: codec=ultradelta:s=0.97.,mask=stored' deltafs -o codec=ultradelta:s=0.97,mask=stored,ro store mnt
expect_fail 2 'unknown option "cahce"; did you mean "cache"' deltafs -o codec=bitdelta,cahce=1G store mnt
expect_fail 2 'base: .*nowhere: No such file' deltafs -o base=nowhere store mnt
expect_fail 2 'STORE and MOUNTPOINT' deltafs store
expect_fail 2 'one argument too many' deltafs store mnt more
expect_fail 2 'unknown option -q' deltafs -q store mnt
expect_fail 2 'unknown option --sotre' deltafs --sotre store mnt
is_mounted mnt && fail "a wrong option mounted all the same"

start_daemon store mnt -o blocks=logical,cache=32M,threads=3,readahead=1M,codec=exact,nosuid,noexec,_netdev,nofail,x-systemd.automount
size=$(stat -c %s orig/tune/model.safetensors)
[ "$(stat -c %b mnt/tune/model.safetensors)" = $(((size + 511) / 512)) ] || fail "blocks=logical"
grep " $DFS_TMP/mnt " /proc/mounts | grep -q noexec || fail "noexec does not reach the kernel"
[ "$(ls "/proc/$(daemon_pid)/task" | xargs -I{} cat "/proc/$(daemon_pid)/task/{}/comm" | grep -c '^decode/')" = 3 ] || fail "threads=3"
cmp orig/tune/model.safetensors mnt/tune/model.safetensors || fail "bytes"
if is_root; then
	[ "$(cat "/sys/class/bdi/$(mountpoint -d mnt)/read_ahead_kb")" = 1024 ] || fail "readahead=1M does not reach the kernel"
fi
stop_daemon mnt

# Options of a codec, with their commas: the file has places that are stored.
start_daemon store mnt -o 'rw,quiet=0,codec=ultradelta:s=0.9\,mask=stored,cache=32M'
cp orig/tune/model.safetensors mnt/lossy.safetensors
deltafsctl wait --timeout 240 mnt >/dev/null || fail "it did not come to rest"
stop_daemon mnt
deltafsctl encode --yes --codec ultradelta:s=0.9,mask=stored --base store/base orig/tune/model.safetensors -o want >/dev/null || fail "encode"
deltafsctl decode --base store/base want -o want.plain >/dev/null && deltafsctl decode store/lossy.safetensors -o got.plain >/dev/null || fail "decode"
cmp want.plain got.plain || fail "codec=ultradelta:s=0.9\,mask=stored: another codec was taken"
rm store/lossy.safetensors

# Options may follow the places, a comma in a path is written with a backslash, and -d tells each request.
cp -r store 'sto,re'
start_daemon 'sto,re' mnt -d -o 'base=sto\,re/base'
cmp orig/tune/model.safetensors mnt/tune/model.safetensors || fail "a store with a comma"
grep -q "opcode: READ" "$log" || fail "-d says nothing"
stop_daemon mnt
deltafs store mnt -f -s 2>"$log" &
daemon=$!
retry 20 is_mounted mnt || fail "-f behind the places"
cmp orig/tune/model.safetensors mnt/tune/model.safetensors || fail "with one thread"
stop_daemon mnt
