#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_cross: arm64 and a big-endian CPU decode and predict what this one wrote, and write the same bytes
# test: timeout=600 nosan
. "$(dirname "$0")/../lib/test.sh"

SRC=$DFS_SRC/src
FILES=("$DFS_SRC"/tests/codec/{cross,samples}.c "$SRC"/tensor/{dtype,convert,convert_fast,round}.c
	"$SRC"/util/{bytes,cpu,err,nearest}.c)
for file in "$SRC"/codec/*.c; do
	[ "${file##*/}" = zstd.c ] || FILES+=("$file")
done

# build COMPILER PROGRAM [FLAGS]
build() {
	local cc=$1 program=$2
	shift 2
	"$cc" -std=gnu11 -D_GNU_SOURCE -O2 -ffp-contract=off -I"$SRC" "$@" -o "$program" "${FILES[@]}" -lm
}

build "${CC:-cc}" ./cross-native || exit 1
./cross-native write native.bin || exit 1
./cross-native read native.bin || exit 1

ran=0
for arch in aarch64 s390x; do
	cc=$arch-linux-gnu-gcc
	if ! command -v "$cc" >/dev/null || ! command -v "qemu-$arch" >/dev/null; then
		echo "$arch: no $cc, or no qemu-$arch"
		continue
	fi
	build "$cc" "./cross-$arch" -static || exit 1
	"qemu-$arch" "./cross-$arch" read native.bin || exit 1
	"qemu-$arch" "./cross-$arch" write "$arch.bin" || exit 1
	cmp native.bin "$arch.bin" || exit 1
	ran=$((ran + 1))
done
[ "$ran" -eq 2 ] || exit 77
