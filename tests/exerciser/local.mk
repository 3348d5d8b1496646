# SPDX-License-Identifier: GPL-2.0-or-later
# The exercisers, which know nothing of deltafs, and what lies to them.
exerciser_common = %D%/account.c %D%/account.h %D%/draw.c %D%/draw.h tests/tools/random.c tests/tools/random.h

noinst_PROGRAMS += %D%/file_exerciser %D%/tree_exerciser %D%/stripes_exerciser \
	%D%/faulty.so

%C%_file_exerciser_SOURCES = $(exerciser_common) %D%/file_exerciser.c %D%/file_subject.c \
	%D%/file_subject.h %D%/file_operations.h %D%/file_draw.c %D%/file_io.c %D%/file_mappings.c \
	%D%/file_space.c %D%/file_copies.c %D%/file_life.c
%C%_file_exerciser_LDADD = -lm

%C%_tree_exerciser_SOURCES = $(exerciser_common) %D%/tree_exerciser.c %D%/tree.c %D%/tree.h \
	%D%/processes.c %D%/processes.h %D%/tree_draw.c %D%/tree_check.c %D%/tree_names.c %D%/tree_contents.c %D%/shared.c %D%/shared.h
%C%_tree_exerciser_LDADD = -lm

%C%_stripes_exerciser_SOURCES = $(exerciser_common) %D%/stripes_exerciser.c %D%/stripes.c \
	%D%/stripes.h %D%/processes.c %D%/processes.h
%C%_stripes_exerciser_LDADD = -lm

%C%_faulty_so_SOURCES = %D%/faulty.c
%C%_faulty_so_CFLAGS = $(AM_CFLAGS) -fPIC
%C%_faulty_so_LDFLAGS = $(AM_LDFLAGS) -shared
