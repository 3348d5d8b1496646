#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# attrs_behind: renames, links and rights changed in the store show within the attributes' second, and nothing is mixed up
# test: tsan
. "$(dirname "$0")/common.sh"

make_store --params 100000 --seed 14
mkdir -p store/a/b store/c
echo one >store/a/b/f
start_daemon store mnt
cat mnt/a/b/f >/dev/null

mv store/a store/c/a
moved() { [ "$(cat mnt/c/a/b/f 2>/dev/null)" = one ] && [ ! -e mnt/a ]; }
retry 10 moved || fail "a directory that moved"
# A directory into what was below it: names must not lead round in a ring.
mkdir -p store/x/y/z && ls -R mnt/x >/dev/null
mv store/x/y store/y && mv store/x store/y/z/x
ring() { [ -d mnt/y/z/x ] && [ ! -e mnt/x ]; }
retry 10 ring || fail "directories that changed places"
timeout 20 find mnt >/dev/null || fail "find does not end"

chmod 600 store/c/a/b/f
mode() { [ "$(stat -c %a mnt/c/a/b/f)" = 600 ]; }
retry 10 mode || fail "chmod"
ln store/c/a/b/f store/hard
links() { [ "$(stat -c %h mnt/c/a/b/f mnt/hard | tr -d '\n')" = 22 ]; }
retry 10 links || fail "a hard link"
[ "$(stat -c %i mnt/hard)" = "$(stat -c %i mnt/c/a/b/f)" ] || fail "two names of one file show two"

# An open file outlives its name; another file in its place is another file.
exec 3<mnt/hard
rm store/hard store/c/a/b/f
[ "$(cat <&3)" = one ] || fail "an open file after its name went"
retry 10 eval '[ ! -e mnt/hard ]' || fail "a removed name shows"
exec 3<&-
mkfifo store/hard && retry 10 test -p mnt/hard || fail "a FIFO in a file's place"
rm store/hard && mkdir store/hard && retry 10 test -d mnt/hard || fail "a directory in a FIFO's place"
ln -s a store/ln && [ "$(retry 10 readlink mnt/ln)" = a ] || fail "a link"
ln -sfn bb store/ln
changed_link() { [ "$(readlink mnt/ln)" = bb ]; }
retry 10 changed_link || fail "a link that changed"
kill -0 "$daemon" || fail "the daemon died"
stop_daemon mnt
