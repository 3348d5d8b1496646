#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# special_pins: promises 7 and 10: a FIFO, a socket, a directory, a device or a link to /etc/shadow where the pin should be.
# test: timeout=120 root
. "$(dirname "$0")/common.sh"

need strace
given_pair
pin=$(find store/.deltafs/pins -type f)
mv "$pin" pin && mv store/base/model.safetensors base
DFS_WRAP="strace -f -qq -o trace -e trace=openat,openat2,open" start_daemon store mnt
attempt() {
	evict mnt/tune/model.safetensors
	expect_fail 1 'Input/output error' timeout 20 cat mnt/tune/model.safetensors
	rm -rf "$pin"
}
mkfifo "$pin" && attempt
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$pin" && attempt
mkdir "$pin" && attempt
mknod "$pin" c 1 5 && attempt
ln -s /etc/shadow "$pin" && attempt
ln -s /dev/zero "$pin" && attempt
ln -s "$PWD/pin" "$pin" && attempt
ln -s / "$pin" && attempt
# The same for the directory of the pins, and for the name that the container hints at.
mv store/.deltafs/pins pins && ln -s "$PWD/pins" store/.deltafs/pins
cp pin "pins/${pin##*/}"
expect_fail 1 'Input/output error' timeout 20 cat mnt/tune/model.safetensors
rm store/.deltafs/pins && mv pins store/.deltafs/pins && rm "$pin"
ln -s "$PWD/base" store/base/model.safetensors
expect_fail 1 'Input/output error' timeout 20 cat mnt/tune/model.safetensors
rm store/base/model.safetensors && mv base store/base/model.safetensors && mv pin "$pin"
retry 5 cmp -s mnt/tune/model.safetensors orig/tune/model.safetensors || fail "does not heal: $(tail -3 "$log")"
stop_daemon mnt
grep -E '"(/etc/shadow|/dev/zero)"|/etc/shadow' trace && fail "the daemon followed a link"
grep -q openat2 trace || fail "nothing was traced"
