#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# move: a store moves as files do, and a model moves between stores.
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
need rsync tar
learn_magic

make_pair --params 1000000 --seed 91 --shards 2 p
mkdir S
cp -r p/base p/tune S/
run deltafsctl base add S S/base
run deltafsctl encode -r S
(cd p && sha256sum base/*.safetensors tune/*.safetensors) >sums
is_container S/tune/model-00001-of-00002.safetensors || fail "nothing was compressed"
size_of() { du -sk "$1" | cut -f1; }

# check DIR: every file of the store at DIR is what it was, and can be gone on with.
check() {
	run deltafsctl verify -r "$1"
	grep -q ' 2 right' said || fail "$1: $(cat said)"
	rm -rf plain
	run deltafsctl decode -r "$1" -o plain
	(cd plain && sha256sum --quiet -c ../sums) || fail "$1: other bytes"
	run deltafsctl decode "$1/tune/model-00001-of-00002.safetensors"
	run deltafsctl encode "$1/tune/model-00001-of-00002.safetensors"
	grep -q 'base' said || fail "$1: the base is not used any more: $(cat said)"
}

cp -a S by-cp
rsync -aHX S/ by-rsync/
tar --xattrs --xattrs-include='*' -cf - S | (mkdir by-tar && tar --xattrs --xattrs-include='*' -C by-tar --strip-components=1 -xf -)
for to in by-cp by-rsync by-tar; do
	at_most "$(size_of $to)" $(($(size_of S) + 64)) || fail "$to grew"
	check $to
done
# Without hard links and xattrs: larger, but right.
rsync -a S/ by-less/
check by-less
mv S moved
check moved

# One model to a store that has the base, and to one that has not.
mkdir with without
cp -r p/base with/
run deltafsctl base add with with/base
file=moved/tune/model-00002-of-00002.safetensors
run deltafsctl export $file -o one.dfs
same $file one.dfs
grep -q 'needs base/model.safetensors' said || fail "export does not name the base: $(cat said)"
run deltafsctl import one.dfs with
grep -q 'which is here' said || fail "import: $(cat said)"
run deltafsctl decode with/one.dfs -o back
same back p/tune/model-00002-of-00002.safetensors
expect_fail 1 'exists already' deltafsctl import one.dfs with
run deltafsctl import one.dfs without
grep -q 'MISSING here' said || fail "import without the base: $(cat said)"
expect_fail 1 'base/model.safetensors.*not found' deltafsctl decode without/one.dfs -o back
expect_fail 1 'not found' deltafsctl verify without/one.dfs
run deltafsctl verify --fast without/one.dfs
run deltafsctl verify --base p/base without/one.dfs
run deltafsctl base add without p/base
run deltafsctl decode without/one.dfs
same without/one.dfs p/tune/model-00002-of-00002.safetensors

# What is damaged or plain does not get in.
cp one.dfs bad.dfs
printf X | dd of=bad.dfs bs=1 seek=5000 conv=notrunc status=none
expect_fail 1 'damaged' deltafsctl import bad.dfs with
[ ! -e with/bad.dfs ] || fail "a damaged container was imported"
expect_fail 1 'plain' deltafsctl import p/tune/model-00001-of-00002.safetensors with
clean with
