#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# over_itself: promise 7: a store mounted over itself, inside itself and through another mount answers everything at once.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
mkdir store/inside second third
all() { find "$1" -type f -not -path '*/.deltafs/*' -print0 | sort -z | timeout 60 xargs -0 -r cat | sha256sum; }
expected=$(all store)
expected=$(cat orig/base/model.safetensors orig/tune/model.safetensors | sha256sum)
start_daemon store store
[ "$(all store)" = "$expected" ] || fail "over itself: other bytes"
timeout 20 ls -lR store >/dev/null || fail "ls -lR hangs"
[ ! -e store/.deltafs ] || fail ".deltafs shows"
first=$daemon
# A mount of the mount: nothing of deltafs's own is in there any more.
start_daemon store second
second=$daemon
[ "$(all second)" = "$expected" ] || fail "through a mount: other bytes"
timeout 20 umount second 2>/dev/null || timeout 20 fusermount3 -u second || fail "umount"
wait $second
daemon=$first
stop_daemon store
# A mountpoint inside the store must not lead into itself for ever.
start_daemon store store/inside
[ "$(find store/inside -maxdepth 12 | wc -l)" -lt 60 ] || fail "the mount holds itself"
[ "$(timeout 60 cat store/inside/base/* store/inside/tune/* | sha256sum)" = "$expected" ] || fail "inside itself: other bytes"
stop_daemon store/inside
# On its way out nothing is left waiting: unmounting while readers are at it.
start_daemon store store
for i in 1 2 3 4; do timeout 60 cat store/tune/model.safetensors >/dev/null 2>&1 & done
umount -l store 2>/dev/null || fusermount3 -uz store
wait "$daemon" || fail "the daemon ended with $?"
wait
cmp store/base/model.safetensors orig/base/model.safetensors || fail "the store was touched"
