# SPDX-License-Identifier: GPL-2.0-or-later
if FUSE
check_PROGRAMS += %D%/test_node %D%/test_node_change %D%/test_node_size %D%/test_replace %D%/test_shown
%C%_test_node_SOURCES = %D%/test_node.c %D%/table.h
%C%_test_node_LDADD = $(DELTAFS_FUSE_LIBS) $(CMOCKA_LIBS)
%C%_test_node_change_SOURCES = %D%/test_node_change.c %D%/table.h
%C%_test_node_change_LDADD = $(DELTAFS_FUSE_LIBS) $(CMOCKA_LIBS)
%C%_test_node_size_SOURCES = %D%/test_node_size.c
%C%_test_node_size_LDADD = $(DELTAFS_FUSE_LIBS) $(CMOCKA_LIBS)
%C%_test_replace_SOURCES = %D%/test_replace.c
%C%_test_replace_CPPFLAGS = $(AM_CPPFLAGS) $(FUSE_CFLAGS)
%C%_test_replace_LDADD = $(DELTAFS_FUSE_LIBS) $(CMOCKA_LIBS)
%C%_test_shown_SOURCES = %D%/test_shown.c
%C%_test_shown_LDADD = $(DELTAFS_FUSE_LIBS) $(CMOCKA_LIBS)
endif
