#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_lossy_cross: arm64, a big-endian CPU and the Python reader decode what lossy codecs wrote here, bit for bit
# test: timeout=900 nosan
. "$(dirname "$0")/../lib/test.sh"
. "$DFS_SRC/tests/codec/common.sh"

# codec and options, a line each
SPECS='ultradelta s=0.9
ultradelta s=0.97,mask=stored
ultradelta s=0.5,qbits=8,rescale=layer
ultradelta s=0.9,levels=codebook,qbits=2,gamma=0.8
ultradelta s=0.8,levels=codebook,mask=stored,seed=18446744073709551615'

build_codecs "${CC:-cc}" ./native lossy_cross lossy_model samples || exit 1
n=0
while read -r codec options; do
	n=$((n + 1))
	./native write "$n.bin" "$codec" "$options" || exit 1
	for cpu in portable avx2 avx512; do
		DELTAFS_CPU=$cpu ./native read "$n.bin" || exit 1
	done
done <<<"$SPECS"
python3 "$DFS_SRC/tests/codec/lossy_cross.py" ./*.bin || exit 1

reads_all() {
	local file
	for file in ./*.bin; do
		"$@" read "$file" || return 1
	done
}
on_foreign reads_all lossy_cross lossy_model samples
