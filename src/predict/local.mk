# SPDX-License-Identifier: GPL-2.0-or-later
src_libdeltafs_a_SOURCES += \
	%D%/base.c \
	%D%/check.c \
	%D%/internal.h \
	%D%/none.c \
	%D%/predict.c %D%/predict.h
