# SPDX-License-Identifier: GPL-2.0-or-later
noinst_PROGRAMS += %D%/posix
%C%_posix_SOURCES = %D%/posix.c %D%/posix.h %D%/steps.c %D%/steps.h %D%/words.c \
	%D%/acl_text.c %D%/acl_text.h %D%/names.c %D%/attributes.c %D%/bytes.c %D%/checks.c \
	%D%/common.c %D%/common.h %D%/cases_open.c %D%/cases_create.c %D%/cases_remove.c \
	%D%/cases_rename.c %D%/cases_mode.c %D%/cases_size.c %D%/cases_io.c %D%/cases_times.c \
	%D%/cases_xattr.c %D%/cases_acl.c %D%/cases_lock.c %D%/cases_map.c %D%/cases_list.c
# Of a sanitizer build the daemon is what is looked at; the suite passes bad addresses on purpose.
%C%_posix_CFLAGS = -std=gnu11 $(DFS_WARN)
%C%_posix_LDFLAGS =
