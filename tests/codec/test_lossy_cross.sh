#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_lossy_cross: arm64, a big-endian CPU and the Python reader decode what lossy codecs wrote here, bit for bit
# test: timeout=900 nosan
. "$(dirname "$0")/../lib/test.sh"

# codec and options, a line each
SPECS='ultradelta s=0.9
ultradelta s=0.97,mask=stored
ultradelta s=0.5,qbits=8,rescale=layer
ultradelta s=0.9,levels=codebook,qbits=2,gamma=0.8
ultradelta s=0.8,levels=codebook,mask=stored,seed=18446744073709551615'

SRC=$DFS_SRC/src
FILES=("$DFS_SRC"/tests/codec/{lossy_cross,lossy_model,no_libraries,samples}.c "$SRC"/tensor/{dtype,convert,convert_fast,round}.c
	"$SRC"/util/{bytes,cpu,err,nearest}.c)
for file in "$SRC"/codec/*.c; do
	case ${file##*/} in zstd.c | dct_forward.c) ;; *) FILES+=("$file") ;; esac
done

# build COMPILER PROGRAM [FLAGS]
build() {
	local cc=$1 program=$2
	shift 2
	"$cc" -std=gnu11 -D_GNU_SOURCE -O2 -ffp-contract=off -I"$SRC" "$@" -o "$program" "${FILES[@]}" -lm
}

build "${CC:-cc}" ./lossy-native || exit 1
n=0
while read -r codec options; do
	n=$((n + 1))
	./lossy-native write "$n.bin" "$codec" "$options" || exit 1
	for cpu in portable avx2 avx512; do
		DELTAFS_CPU=$cpu ./lossy-native read "$n.bin" || exit 1
	done
done <<<"$SPECS"
python3 "$DFS_SRC/tests/codec/lossy_cross.py" ./*.bin || exit 1

ran=0
for arch in aarch64 s390x; do
	cc=$arch-linux-gnu-gcc
	if ! command -v "$cc" >/dev/null || ! command -v "qemu-$arch" >/dev/null; then
		echo "$arch: no $cc, or no qemu-$arch"
		continue
	fi
	build "$cc" "./lossy-$arch" -static || exit 1
	for file in ./*.bin; do
		"qemu-$arch" "./lossy-$arch" read "$file" || exit 1
	done
	ran=$((ran + 1))
done
[ "$ran" -eq 2 ] || exit 77
