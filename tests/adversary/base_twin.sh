#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# base_twin: promise 2: the base is renamed over by another of the same size and time, back and forth, under readers.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
pin=$(find store/.deltafs/pins -type f)
"$DFS_BUILD/tests/tools/make_pair" --params 400000 --hidden 256 --vocab 512 --seed 2 other >/dev/null
cp -p "$pin" right && cp other/base/model.safetensors twin && touch -r right twin
[ "$(stat -c %s twin)" = "$(stat -c %s right)" ] || fail "the twin has another size"
start_daemon store mnt
hammer_start 6 mnt/tune/model.safetensors orig/tune/model.safetensors
for ((i = 0; i < 20; i++)); do
	cp -p twin store/.deltafs/tmp-twin && mv store/.deltafs/tmp-twin "$pin"
	cp -p twin store/base/next && mv store/base/next store/base/model.safetensors
	sleep 0.15
	cp -p right store/.deltafs/tmp-twin && mv store/.deltafs/tmp-twin "$pin"
	cp -p right store/base/next && mv store/base/next store/base/model.safetensors
	sleep 0.1
done
hammer_end
[ "$refused" -gt 0 ] || fail "no read met the twin: this proves nothing"
healed() { evict mnt/tune/model.safetensors; cmp -s mnt/tune/model.safetensors orig/tune/model.safetensors; }
retry 10 healed || fail "does not heal: $(tail -3 "$log")"
retry 5 cmp -s mnt/base/model.safetensors orig/base/model.safetensors || fail "the base itself reads wrong"
alive
stop_daemon mnt
