#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lost_store: a store whose .deltafs was deleted can still be read: its bases are where its containers remember them.
. "$(dirname "$0")/../lib/test.sh"
. "$(dirname "$0")/common.sh"
learn_magic

make_pair --params 1000000 --seed 93 --shards 2 p
mkdir -p S/models
cp p/tune/model-00001-of-00002.safetensors S/alone.safetensors
run deltafsctl encode -r S
cp -r p/base p/tune S/models/
run deltafsctl base add S S/models/base
run deltafsctl encode -r S/models/tune
is_container S/models/tune/model-00002-of-00002.safetensors || fail "nothing was compressed"
is_container S/alone.safetensors || fail "the file without a base was not compressed"
rm -rf S/.deltafs
file=S/models/tune/model-00001-of-00002.safetensors

# Outwards: nothing is made in the store.
run deltafsctl decode $file -o out
same out p/tune/model-00001-of-00002.safetensors
run deltafsctl decode -r S -o all
same all/models/tune/model-00002-of-00002.safetensors p/tune/model-00002-of-00002.safetensors
same all/alone.safetensors p/tune/model-00001-of-00002.safetensors
run deltafsctl verify $file
(cd S/models/tune && run deltafsctl decode model-00002-of-00002.safetensors -o "$DFS_TMP/below")
same below p/tune/model-00002-of-00002.safetensors
ln -s S/models/tune linked
run deltafsctl decode linked/model-00002-of-00002.safetensors -o through
same through p/tune/model-00002-of-00002.safetensors
[ ! -e S/.deltafs ] || fail "reading made a .deltafs"

# What is there under that name, but of another size, is no base; nor is what a symlink leads to.
base=S/models/base/model.safetensors
mv $base kept && head -c 1000 kept >$base
expect_fail 1 'base.*not found' deltafsctl decode $file -o other
ln -sf "$PWD/kept" $base
expect_fail 1 'base.*not found' deltafsctl decode $file -o other
[ ! -e other ] || fail "a failure left a file"
# Of the right size, but altered: found out, chunk by chunk.
rm $base && cp kept $base && printf 'XXXXXXXX' | dd of=$base bs=1 seek=500000 conv=notrunc status=none
expect_fail 1 'was changed, or is another one' deltafsctl decode $file -o other
mv kept $base

# In place.
run deltafsctl decode $file
same $file p/tune/model-00001-of-00002.safetensors
[ -d S/.deltafs ] || fail "the store was not found again where it was"
[ ! -e S/models/.deltafs ] || fail "a store in the store"
rm -rf S/.deltafs
run deltafsctl decode -r S
for i in 1 2; do same S/models/tune/model-0000$i-of-00002.safetensors p/tune/model-0000$i-of-00002.safetensors; done
same S/alone.safetensors p/tune/model-00001-of-00002.safetensors
clean S
