#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# E10: the store changes behind the mount: the new state after the attributes' second; ESTALE, EIO or right bytes before.
# test: timeout=300
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/lib/mount.sh"
. "$DFS_SRC/tests/lib/faults.sh"

make_store --params 400000 --hidden 256 --vocab 512 --seed 131
start_daemon store mnt
cat mnt/tune/model.safetensors >/dev/null
ls mnt >/dev/null
echo one >store/new.txt
retry 10 test -e mnt/new.txt || fail "a new file does not show"
[ "$(cat mnt/new.txt)" = one ] || fail "its content is wrong"
echo three >store/new.txt
same() { [ "$(cat mnt/new.txt)" = three ]; }
retry 10 same || fail "a rewritten file shows its old content"
mkdir store/dir && cp store/new.txt store/dir/
retry 10 test -e mnt/dir/new.txt || fail "a new directory does not show"
rm -r store/dir
gone() { ! test -e mnt/dir; }
retry 10 gone || fail "a removed directory still shows"

# Plain to container and back, and one container for another.
cp orig/tune/model.safetensors store/x.safetensors
retry 10 cmp -s mnt/x.safetensors orig/tune/model.safetensors || fail "plain"
cp --preserve=xattr store/tune/model.safetensors store/.x && mv store/.x store/x.safetensors
retry 10 cmp -s mnt/x.safetensors orig/tune/model.safetensors || fail "a container in its place"
[ "$(getfattr --only-values -n user.deltafs.state mnt/x.safetensors 2>/dev/null)" != plain ] || fail "its state is not seen"
cp store/base/model.safetensors store/.x && mv store/.x store/x.safetensors
retry 10 cmp -s mnt/x.safetensors orig/base/model.safetensors || fail "plain again"

# A handle from before: the old bytes or ESTALE, never a mix.
exec 3<mnt/tune/model.safetensors
head -c 4096 <&3 >/dev/null
"$DFS_BUILD/tests/tools/make_pair" --params 400000 --hidden 256 --vocab 512 --seed 131 --r 0.02 other >/dev/null
deltafsctl encode --base store/base other/tune/model.safetensors -o store/.new || fail "encode"
mv store/.new store/tune/model.safetensors
pages /dev/fd/3 orig/tune/model.safetensors
[ "$wrong" = 0 ] || fail "an old handle shows $wrong pages of the new file"
retry 10 cmp -s mnt/tune/model.safetensors other/tune/model.safetensors || fail "the new container does not show"
exec 3<&-

# Overwritten in place under a reader.
exec 3<mnt/x.safetensors
head -c 4096 <&3 >/dev/null
evict mnt/x.safetensors
cat other/base/model.safetensors >store/x.safetensors
cmp mnt/x.safetensors other/base/model.safetensors || fail "an old handle keeps a new one from the new bytes"
pages /dev/fd/3 orig/base/model.safetensors
[ "$wrong" = 0 ] || fail "overwritten in place: an old handle shows $wrong pages that are not the old ones"
fired=$refused
retry 10 cmp -s mnt/x.safetensors other/base/model.safetensors || fail "the rewritten file does not show"
exec 3<&-
kill -0 "$daemon" || fail "the daemon died"
stop_daemon mnt
faults_fired "$fired"
