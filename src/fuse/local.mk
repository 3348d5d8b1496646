# SPDX-License-Identifier: GPL-2.0-or-later
src_libdeltafs_fuse_a_SOURCES += \
	%D%/attr.c \
	%D%/base_work.c %D%/base_work.h \
	%D%/bdi.c \
	%D%/caller.c %D%/caller.h \
	%D%/content.c \
	%D%/control.c %D%/control.h \
	%D%/control_base.c \
	%D%/copied.c %D%/copied.h \
	%D%/copy.c \
	%D%/create.c \
	%D%/dir.c \
	%D%/direct.c %D%/direct.h \
	%D%/durable.c \
	%D%/file.c \
	%D%/handshake.c \
	%D%/internal.h \
	%D%/jobs.c %D%/jobs.h \
	%D%/later.c %D%/later.h \
	%D%/link.c \
	%D%/loop.c \
	%D%/messages.c \
	%D%/mount.c %D%/mount.h \
	%D%/names.c \
	%D%/node.c %D%/node.h \
	%D%/node_change.c \
	%D%/node_mtime.c \
	%D%/node_names.c \
	%D%/node_open.c %D%/node_table.h \
	%D%/notice.c \
	%D%/open.c %D%/open.h \
	%D%/ops.c \
	%D%/original.c %D%/original.h \
	%D%/plain.c \
	%D%/policy.c \
	%D%/push.c \
	%D%/readonly.c \
	%D%/replace.c %D%/replace.h \
	%D%/reply.c \
	%D%/set_id.c \
	%D%/setattr.c \
	%D%/settle.c \
	%D%/shown.c %D%/shown.h \
	%D%/status.c \
	%D%/trouble.c \
	%D%/write.c \
	%D%/xattr.c %D%/xattr_set.c
