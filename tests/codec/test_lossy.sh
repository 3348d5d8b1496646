#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_lossy: what lossy codecs decode, the reader in tests/ref decodes bit for bit, and so do arm64 and a big-endian CPU
# test: timeout=1200 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/codec/common.sh"

need python3
cases=$DFS_BUILD/tests/codec/lossy_cases
missing=
for codec in bitdelta ultradelta delta-dct delta-come; do
	ret=0
	"$cases" write cases.bin "$codec" >written || ret=$?
	if [ "$ret" = 77 ]; then
		missing="$missing$(cat written); "
		rm cases.bin
		continue
	fi
	[ "$ret" = 0 ] || fail "$codec: not written"
	mv cases.bin "$codec.cases"
	"$cases" read "$codec.cases" >read || fail "$codec: not read"
	"$DFS_SRC/tests/codec/lossy_reader.py" "$codec.cases" >reader || fail "$codec: the reader in tests/ref disagrees"
	cmp written read && cmp written reader || fail "$codec: not all tensors were read"
done

reads() {
	local file
	for file in *.cases; do
		"$@" read "$file" || return 1
	done
}
on_foreign reads lossy_cases model driven matrix
[ -z "$missing" ] || skip "${missing%; }"
