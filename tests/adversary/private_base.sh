#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# private_base: promise 10, the mount lends nobody rights: a container made by hand shows no base that its owner may not read.
# test: timeout=120 root
. "$(dirname "$0")/common.sh"

[ "$(id -u)" = 0 ] || skip "needs several users"
given_pair
# The base is root's alone; mallory (65534) and eve (65533) have a directory each.
chmod 600 store/base/model.safetensors && chmod 700 store/base
base=orig/base/model.safetensors
for user in 65534 65533; do
	mkdir store/$user && chown $user store/$user && chmod 755 store/$user
done
mkdir t && chmod 777 t
n=0
for name in base/model.safetensors ../base/model.safetensors 65534/mine.safetensors "" /etc/shadow "$PWD/store/base/model.safetensors"; do
	forge steal $base "t/steal-$((n++))" "$name"
done
as() { setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"; }
as 65534 cp t/steal-* store/65534/ || fail "mallory cannot write"
# A readable file of the base's size at the name that a container hints at; links to and around the base.
as 65534 sh -c "head -c $(stat -c %s $base) /dev/zero >store/65534/mine.safetensors"
as 65534 ln -s ../base/model.safetensors store/65534/link
as 65534 ln store/base/model.safetensors store/65534/hard 2>/dev/null && fail "the kernel lets mallory link root's files"
pin=$(find store/.deltafs/pins -type f)
as 65534 ln "$pin" store/65534/hard 2>/dev/null && fail "the kernel lets mallory link a pin"
as 65534 setfattr -n user.deltafs.container -v 0x00112233445566778899aabbccddeeff0000000000000000 store/65534/steal-0
as 65534 cat "$pin" >/dev/null 2>&1 && fail "the pin is readable to mallory behind the mount"

start_daemon store mnt -o allow_other
stolen() { # FILE USER: does it show any byte to USER?
	[ "$(as "$2" cat "$1" 2>>said | head -c 1 | wc -c)" -gt 0 ]
}
: >said && chmod 666 said
for file in mnt/65534/steal-*; do
	for user in 65534 65533; do
		stolen "$file" $user && fail "$file shows root's base to $user"
	done
done
grep -q denied said || fail "nothing was denied: $(sort -u said)"
grep -q 'may not read the base' "$log" || fail "the log does not tell: $(tail -3 "$log")"
# Root reading mallory's container is no way around: what is decoded is for mallory as well.
cat mnt/65534/steal-0 >/dev/null 2>&1 && fail "root's read of mallory's container decodes root's base"
stolen mnt/65534/steal-0 65534 && fail "mallory profits from root's attempt"
# What deltafs published goes on reading for all who may read it.
chmod -R a+rX store/tune
retry 5 as 65533 cmp -s mnt/tune/model.safetensors orig/tune/model.safetensors || fail "a published container depends on its base's mode"
# The base made readable under its name: now he may.
chmod 755 store/base && chmod 644 store/base/model.safetensors
retry 5 as 65534 cmp -s mnt/65534/steal-0 $base || fail "refused though its owner may read the base: $(tail -2 "$log")"
alive
stop_daemon mnt
