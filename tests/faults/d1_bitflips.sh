#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# D1: a flipped bit anywhere in a container gives EIO for the chunk it is in, never a wrong byte.
# test: timeout=900
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"

coded=store/tune/model.safetensors original=orig/tune/model.safetensors shown=mnt/tune/model.safetensors

# In process: bits all over a small container (every one with --full).
make_store --params 20000 --hidden 64 --vocab 64 --seed 11
size=$(stat -c %s "$coded")
[ "$size" -le 65536 ] || fail "$size bytes is no small container"
step=9
[ -z "$DFS_FULL" ] || step=1
"$DFS_BUILD/tests/faults/pages" flips "$step" "$coded" "$original" store/base/model.safetensors ||
	fail "a flip was not contained"

# Through the mount: each region of a container of several chunks.
rm -rf orig store
make_store --params 400000 --hidden 256 --vocab 512 --seed 12
size=$(stat -c %s "$coded") off=$(meta off "$coded") len=$(meta len "$coded")

read_damaged() {
	start_daemon store mnt
	pages "$shown" "$original"
	kill -0 "$daemon" || fail "byte $1 killed the daemon"
	stop_daemon mnt
}

read_damaged none
[ "$refused$wrong" = 00 ] || fail "undamaged: $refused pages refused, $wrong wrong"
noticed=0
for at in 0 20 30 45 60 70 90 110 250 256 300 $((off / 2)) $((off - 1)) "$off" $((off + 8)) $((off + len / 2)) \
	$((off + len - 1)) $((size - 256)) $((size - 1)); do
	flip "$coded" "$at" 3
	read_damaged "$at"
	[ "$wrong" = 0 ] || fail "byte $at: $wrong pages wrong"
	[ "$refused" = 0 ] || noticed=$((noticed + 1))
	expect_fail 4 'tune/model.safetensors: ' fsck.deltafs store
	if [ "$at" -ge 256 ] && [ "$at" -lt "$off" ]; then
		[ "$refused" -gt 0 ] || fail "byte $at of the payloads was not noticed"
		[ "$right" -gt 0 ] || fail "byte $at of the payloads cost the whole file"
		grep -q 'tune/model.safetensors' "$log" || fail "byte $at: the log does not name the file: $(cat "$log")"
		expect_fail 1 'model.safetensors' deltafsctl verify "$coded"
		expect_fail 4 'tune/model.safetensors: .*chunk' fsck.deltafs store
	fi
	flip "$coded" "$at" 3
done
deltafsctl verify "$coded" || fail "the container was not repaired: this test is wrong"
faults_fired "$noticed" 6
