# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += %D%/test_layout %D%/test_match

%C%_test_layout_SOURCES = %D%/test_layout.c %D%/headers.h
%C%_test_layout_LDADD = $(TEST_LIBS)
%C%_test_match_SOURCES = %D%/test_match.c %D%/headers.h
%C%_test_match_LDADD = $(TEST_LIBS)
