#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pinned_links: promise 5 and section 4: the pin of a base, a hard link that no user made, is not counted in st_nlink.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
ln store/base/model.safetensors store/second
[ "$(stat -c %h store/base/model.safetensors)" = 3 ] || fail "the base is pinned otherwise than by a link: this proves nothing"
start_daemon store mnt
for name in base/model.safetensors second; do
	[ "$(stat -c %h mnt/$name)" = 2 ] || fail "$name shows $(stat -c %h mnt/$name) links, not 2"
done
[ "$(stat -c %h mnt/tune/model.safetensors)" = 1 ] || fail "a container shows $(stat -c %h mnt/tune/model.safetensors) links"
[ "$(find mnt -type f -printf '%n %p\n' | grep -c '^2 ')" = 2 ] || fail "a listing counts otherwise"
alive
stop_daemon mnt
