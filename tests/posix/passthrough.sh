#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# passthrough: the suite can fail: libfuse's example creates as its server instead of as the caller, and is caught.
# test: root timeout=120
. "$(dirname "$0")/common.sh"
need gcc
[ -c /dev/fuse ] || skip "no /dev/fuse"
pkg-config --exists fuse3 2>/dev/null || skip "no libfuse"
example=/usr/share/doc/libfuse3-dev/examples/passthrough_ll.c
[ -e $example ] || skip "libfuse3-dev came without its examples"

# shellcheck disable=SC2046
gcc -w -O1 -D_FILE_OFFSET_BITS=64 $example -o passthrough_ll $(pkg-config --cflags --libs fuse3) || fail "$example does not build"
mkdir -m 777 back mnt
./passthrough_ll -f -o "source=$PWD/back,allow_other,default_permissions" mnt >server.log 2>&1 &
server=$!
at_end "umount mnt 2>/dev/null; wait $server"
retry 20 mountpoint -q mnt || fail "passthrough_ll: $(cat server.log)"

posix_suite mnt open mkdir mknod symlink
[ "$status" = 1 ] || fail "exit status $status: $(tail -3 said)"
# What a group may, it may there too; whose the thing then is, the example has wrong.
for case in {open,mkdir,mknod,symlink}/caller-{owner,member,other,in-group-directory}; do
	grep -q "^$case: .*expected uid=.*, got 0$" said || fail "$case is not caught: $(grep "^$case" said)"
done
# The rest of it is a decent file system: what fails has to do with owners.
for case in open/EISDIR-write open/append-two mkdir/EEXIST-dots mknod/fifo symlink/text-longest open/EACCES-search-other; do
	! grep "^$case: " said || fail "fails for another reason"
done
