# SPDX-License-Identifier: GPL-2.0-or-later
# common: programs of the codecs for CPUs that are not here, run by qemu. Sourced after test.sh.

# build_codecs COMPILER PROGRAM SOURCE... [FLAG]...: SOURCE is a name in tests/codec,
# which are linked with all codecs. Without config.h there is no OpenBLAS either.
build_codecs() {
	local cc=$1 program=$2 src=$DFS_SRC/src file files=()
	shift 2
	while [ $# -gt 0 ] && [[ $1 != -* ]]; do
		files+=("$DFS_SRC/tests/codec/$1.c")
		shift
	done
	files+=("$DFS_SRC/tests/codec/no_libraries.c" "$src"/tensor/{dtype,convert,convert_fast,round}.c
		"$src"/util/{bytes,cpu,err,nearest}.c)
	for file in "$src"/codec/*.c; do
		case ${file##*/} in zstd.c | dct_forward.c) ;; *) files+=("$file") ;; esac
	done
	"$cc" -std=gnu11 -D_GNU_SOURCE -O2 -ffp-contract=off -I"$src" "$@" -o "$program" "${files[@]}" -lm
}

# on_foreign FUNCTION SOURCE...: FUNCTION "qemu-ARCH ./ARCH" for arm64 and for a
# big-endian CPU, each a program of SOURCEs; what it cannot do ends the test.
# Where compiler or emulator are missing, the test is skipped in the end.
on_foreign() {
	local check=$1 arch ran=0
	shift
	for arch in aarch64 s390x; do
		if ! command -v "$arch-linux-gnu-gcc" >/dev/null || ! command -v "qemu-$arch" >/dev/null; then
			echo "$arch: no $arch-linux-gnu-gcc, or no qemu-$arch"
			continue
		fi
		build_codecs "$arch-linux-gnu-gcc" "./$arch" "$@" -static || exit 1
		"$check" "qemu-$arch" "./$arch" || exit 1
		ran=$((ran + 1))
	done
	[ "$ran" -eq 2 ] || exit 77
}
