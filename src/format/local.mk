# SPDX-License-Identifier: GPL-2.0-or-later
src_libdeltafs_a_SOURCES += \
	%D%/container.c %D%/container.h \
	%D%/cut.c \
	%D%/internal.h \
	%D%/pack.c \
	%D%/relations.c \
	%D%/sections.c \
	%D%/superblock.c
