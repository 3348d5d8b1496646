# SPDX-License-Identifier: GPL-2.0-or-later
src_libdeltafs_fuse_a_SOURCES += \
	%D%/attr.c \
	%D%/dir.c \
	%D%/file.c \
	%D%/internal.h \
	%D%/link.c \
	%D%/messages.c \
	%D%/mount.c %D%/mount.h \
	%D%/node.c %D%/node.h \
	%D%/plain.c \
	%D%/readahead.c \
	%D%/readonly.c \
	%D%/reply.c \
	%D%/status.c \
	%D%/xattr.c
