# SPDX-License-Identifier: GPL-2.0-or-later
src_libdeltafs_a_SOURCES += \
	%D%/convert.c %D%/convert.h \
	%D%/convert_fast.c %D%/convert_fast.h \
	%D%/convert_float.h \
	%D%/dtype.c %D%/dtype.h \
	%D%/internal.h \
	%D%/linear.c %D%/linear.h \
	%D%/norms.h \
	%D%/round.c \
	%D%/safetensors.c %D%/safetensors.h \
	%D%/safetensors_check.c \
	%D%/safetensors_json.c \
	%D%/safetensors_scan.c
