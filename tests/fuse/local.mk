# SPDX-License-Identifier: GPL-2.0-or-later
if FUSE
check_PROGRAMS += %D%/test_node
%C%_test_node_SOURCES = %D%/test_node.c
%C%_test_node_LDADD = $(DELTAFS_FUSE_LIBS) $(CMOCKA_LIBS)
endif
