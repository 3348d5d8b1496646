#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cut_open: promises 2 and 9: container and base are cut short, extended and put back while open and mapped.
# test: timeout=120
. "$(dirname "$0")/common.sh"

given_pair
container=store/tune/model.safetensors pin=$(find store/.deltafs/pins -type f)
cp "$container" container && cp "$pin" pin
start_daemon store mnt
exec 3<mnt/tune/model.safetensors
hammer_start 6 mnt/tune/model.safetensors orig/tune/model.safetensors
size=$(stat -c %s container)
for round in 1 2 3; do
	for cut in $((size / 2)) 4096 257 0 $((size + 4096)); do
		truncate -s "$cut" "$container"
		sleep 0.05
		cat container >"$container"
		truncate -s "$size" "$container"
		sleep 0.1
	done
	for cut in $(($(stat -c %s pin) / 2)) 100 0; do
		truncate -s "$cut" "$pin"
		sleep 0.05
		cat pin >"$pin"
		sleep 0.1
	done
done
hammer_end
[ "$refused" -gt 0 ] || fail "no read met a cut: this proves nothing"
healed() { evict mnt/tune/model.safetensors; cmp -s mnt/tune/model.safetensors orig/tune/model.safetensors; }
retry 10 healed || fail "does not heal: $(tail -3 "$log")"
exec 3<&-
alive
stop_daemon mnt
