#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# copied_rights: promise 10, a copy of a container within the mount shows nobody what the container does not: made by hand, over a base of somebody else, copied by its owner, by others and by root, in one piece and in many.
# test: timeout=120 root
. "$(dirname "$0")/common.sh"

[ "$(id -u)" = 0 ] || skip "needs several users"
need setpriv
given_pair
chmod 600 store/base/model.safetensors && chmod 700 store/base && chmod -R a+rX store/tune
base=orig/base/model.safetensors tune=orig/tune/model.safetensors
mkdir -m 1777 store/all t
forge steal $base t/steal base/model.safetensors
# Mallory's, over root's base; root's own, that somebody else's daemon made; a published one.
cp t/steal store/all/mallorys && chown 65534:65534 store/all/mallorys
cp store/tune/model.safetensors store/all/unmarked && setfattr -x trusted.deltafs.container store/all/unmarked 2>/dev/null
getfattr -d -m trusted.deltafs store/all/unmarked 2>/dev/null | grep -q container && fail "cp took the mark along"
stored=$(stat -c %s store/tune/model.safetensors)
as() { setpriv --reuid="$1" --regid="$1" --clear-groups "${@:2}"; }
cat >copy.py <<'PY'
import os, sys
src, dst = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
size, at = int(sys.argv[3]), 0
while (got := os.copy_file_range(src, dst, size, at, at)):
    at += got
PY
cp copy.py t/ && chmod -R a+rX t && chmod a+rwx . t
copy() { as "$1" /usr/bin/python3 t/copy.py "$2" "$3" "$4" 2>t/error; }

start_daemon store mnt -o rw,noingest,allow_other
for size in 1073741824 100000; do
	for user in 0 65534 65533; do
		to=mnt/all/$user-$size
		copy $user mnt/all/mallorys "$to" $size && fail "user $user copied what nobody may read, by $size"
		[ "$(head -c 1 "$to" 2>/dev/null | wc -c)" = 0 ] || fail "the copy of user $user shows bytes of root's base"
		[ "$(stat -c %s "store/all/$user-$size")" = 0 ] || fail "user $user has something of it in the store: $(cat t/error)"
		rm "$to"
		copy $user mnt/tune/model.safetensors "$to" $size || fail "user $user cannot copy what he may read"
		[ "$(stat -c %s "store/all/$user-$size")" = "$stored" ] || fail "the copy of user $user is no container"
		[ "$(stat -c %u:%a "$to")" = $user:644 ] || fail "the copy of user $user is $(stat -c %u:%a "$to")"
		as 65533 cmp "$to" $tune || fail "the copy of user $user"
		rm "$to"
		copy $user mnt/all/unmarked "$to" $size || fail "user $user cannot copy an unmarked container of root's"
		as 65533 cmp "$to" $tune || fail "the copy of an unmarked container by user $user"
		[ $user = 0 ] || [ "$(stat -c %s "store/all/$user-$size")" != "$stored" ] || fail "user $user had a mark set on what had none"
	done
done
# Set-id bits go as with any write by another; nobody copies into what he may not write to.
: >mnt/all/program && chmod 6777 mnt/all/program
as 65533 /usr/bin/python3 -c '
import os
src, dst = os.open("mnt/tune/model.safetensors", os.O_RDONLY), os.open("mnt/all/program", os.O_WRONLY)
while os.copy_file_range(src, dst, 1 << 30):
    pass' || fail "a file that all may write to"
[ "$(stat -c %u:%a mnt/all/program)" = 0:777 ] || fail "set-id bits: $(stat -c %u:%a mnt/all/program)"
cmp mnt/all/program $tune || fail "copied into another's file"
stop_daemon mnt

# As mounted again, and by whoever runs it without rights: the marks are what they say.
start_daemon store mnt -o rw,noingest,allow_other
for copy in 0-100000 65534-100000 65533-1073741824 program; do
	as 65533 cmp "mnt/all/$copy" $tune || fail "$copy after a remount"
done
alive
stop_daemon mnt
