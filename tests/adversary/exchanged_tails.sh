#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# exchanged_tails: promise 2: two containers of one size trade their second halves; neither shows raw or foreign bytes.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
"$DFS_BUILD/tests/tools/make_pair" --params 400000 --hidden 256 --vocab 512 --seed 2 other >/dev/null
head -c 700000 orig/tune/model.safetensors >a
head -c 700000 other/tune/model.safetensors >b
forge wrap a store/a
forge wrap b store/b
[ "$(stat -c %s store/a)" = "$(stat -c %s store/b)" ] || fail "the two differ in size"
forge tails store/a store/b
start_daemon store mnt
for name in a b; do
	[ "$(stat -c %s mnt/$name)" = 700000 ] || fail "$name has $(stat -c %s mnt/$name) bytes"
	pages mnt/$name $name
	[ "$wrong" = 0 ] && [ "$refused" -gt 0 ] || fail "$name: right $right refused $refused wrong $wrong"
done
alive
stop_daemon mnt
