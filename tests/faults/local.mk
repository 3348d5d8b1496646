# SPDX-License-Identifier: GPL-2.0-or-later
# The rows of the fault matrix, one script each; helpers of theirs in C.

noinst_PROGRAMS += %D%/pages
%C%_pages_SOURCES = %D%/pages.c
%C%_pages_LDADD = $(DELTAFS_LIBS)
