#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# enospc: on a full disk nothing is lost and nothing is left.
# test: root
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
learn_magic
[ "$(id -u)" = 0 ] || skip "mounting a small disk needs root"

make_pair --params 2000000 --seed 71 p
plain=p/tune/model.safetensors
mkdir S
mount -t tmpfs -o size=12M none S 2>/dev/null || skip "cannot mount a small disk"
cp p/base/model.safetensors S/base.safetensors
cp $plain S/x.safetensors
run deltafsctl base add S S/base.safetensors

# fill KIB: leave so much room.
fill() {
	rm -f S/filler
	local room=$(($(stat -f -c '%a * %S / 1024' S)))
	[ "$room" -gt "$1" ] || fail "only $room KiB of room: this test is wrong"
	head -c $(((room - $1) << 10)) /dev/zero >S/filler
}

for kib in 0 4 100 900; do
	fill $kib
	expect_fail 1 'No space' deltafsctl encode S/x.safetensors
	same S/x.safetensors $plain
	clean S
done
rm S/filler
run deltafsctl encode S/x.safetensors
is_container S/x.safetensors || fail "not compressed with room"
cp S/x.safetensors coded

# The way back needs room, and says so before it decodes anything.
for kib in 0 100 4000; do
	fill $kib
	expect_fail 1 'no room|No space' deltafsctl decode S/x.safetensors
	same S/x.safetensors coded
	clean S
done
run deltafsctl verify S/x.safetensors
expect_fail 1 'no room|No space' deltafsctl decode S/x.safetensors -o S/y
[ ! -e S/y ] || fail "half a file at OUT"
rm S/filler
run deltafsctl decode S/x.safetensors
same S/x.safetensors $plain

# A file size limit is a sentence, not a dead process.
expect_fail 1 'File too large' prlimit --fsize=100000 deltafsctl encode S/x.safetensors
same S/x.safetensors $plain
clean S
