# SPDX-License-Identifier: GPL-2.0-or-later
src_libdeltafs_a_SOURCES += \
	%D%/bits.h \
	%D%/codec.h \
	%D%/copy.c \
	%D%/diff.c \
	%D%/diff.h \
	%D%/diff_avx2.c \
	%D%/diff_avx512.c \
	%D%/diff_decode.c \
	%D%/diff_encode.c \
	%D%/diff_measure.c \
	%D%/diff_model.c \
	%D%/diff_put.c \
	%D%/diff_put_avx512.c \
	%D%/diff_rows.c \
	%D%/diff_split.c \
	%D%/diff_split_avx2.c \
	%D%/diff_split_avx512.c \
	%D%/diff_table.c \
	%D%/exact.c \
	%D%/exact.h \
	%D%/freq.c \
	%D%/freq.h \
	%D%/internal.h \
	%D%/rans.c \
	%D%/rans.h \
	%D%/registry.c \
	%D%/scratch.c \
	%D%/solo.c \
	%D%/solo.h \
	%D%/solo_symbols.c \
	%D%/sparse.c \
	%D%/stored.c \
	%D%/value.c \
	%D%/value.h \
	%D%/zstd.c
