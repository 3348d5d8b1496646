#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_lossy: what lossy codecs decode, the reader in tests/ref decodes bit for bit, and so do arm64 and a big-endian CPU
# test: timeout=600 nosan
. "$(dirname "$0")/../lib/test.sh"

need python3
cases=$DFS_BUILD/tests/codec/lossy_cases
"$cases" write cases.bin || fail "not written"
"$cases" read cases.bin || fail "not read"
"$DFS_SRC/tests/codec/lossy_reader.py" cases.bin || fail "the reader in tests/ref disagrees"

SRC=$DFS_SRC/src
FILES=("$DFS_SRC"/tests/codec/{lossy_cases,driven,no_libraries}.c "$SRC"/tensor/{dtype,convert,convert_fast,round}.c
	"$SRC"/util/{bytes,cpu,err,nearest}.c)
for file in "$SRC"/codec/*.c; do
	case ${file##*/} in zstd.c | dct_forward.c) ;; *) FILES+=("$file") ;; esac
done
ran=0
for arch in aarch64 s390x; do
	cc=$arch-linux-gnu-gcc
	if ! command -v "$cc" >/dev/null || ! command -v "qemu-$arch" >/dev/null; then
		echo "$arch: no $cc, or no qemu-$arch"
		continue
	fi
	"$cc" -std=gnu11 -D_GNU_SOURCE -O2 -ffp-contract=off -I"$SRC" -static -o "lossy-$arch" "${FILES[@]}" -lm || exit 1
	"qemu-$arch" "./lossy-$arch" read cases.bin || fail "$arch decodes other values"
	ran=$((ran + 1))
done
[ "$ran" -eq 2 ] || exit 77
