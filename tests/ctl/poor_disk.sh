#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# poor_disk: a store on a file system without hard links, or without extended attributes, works, and what is different is said.
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/ctl/common.sh"
need strace
learn_magic

make_pair --params 300000 --seed 63 p
mkdir S
cp -r p/base p/tune S/
# As a file system of the FAT kind says it.
run strace -f -qq -o trace -e trace=link,linkat -e inject=link,linkat:error=EPERM deltafsctl base add S S/base
grep -q INJECTED trace || fail "no hard link was tried"
grep -q 'had to be copied: hard links to it are not allowed here, by the file system' said || fail "it said: $(cat said)"
[ "$(stat -c %h S/base/model.safetensors)" = 1 ] || fail "linked all the same"
pin=$(find S/.deltafs/pins -type f -size +100k)
same "$pin" p/base/model.safetensors
# The copy does what the link would have done.
run deltafsctl encode S/tune/model.safetensors
is_container S/tune/model.safetensors || fail "not compressed: $(cat said)"
rm -r S/base
run deltafsctl decode S/tune/model.safetensors -o back
same back p/tune/model.safetensors

# Without extended attributes a container is told by its content.
[ "$(id -u)" = 0 ] && mkdir bare && mount -t ramfs none bare || skip "the other half needs root and ramfs"
setfattr -n user.x -v 1 bare 2>/dev/null && skip "ramfs has extended attributes here"
cp -r p/base p/tune bare/
run deltafsctl base add bare bare/base
run deltafsctl encode bare/tune/model.safetensors
is_container bare/tune/model.safetensors || fail "not compressed: $(cat said)"
run deltafsctl verify bare/tune/model.safetensors
run deltafsctl decode bare/tune/model.safetensors
same bare/tune/model.safetensors p/tune/model.safetensors
