# SPDX-License-Identifier: GPL-2.0-or-later
# Add here: check_PROGRAMS += %D%/test_x
#	%C%_test_x_SOURCES = %D%/test_x.c
#	%C%_test_x_LDADD = $(TEST_LIBS)
