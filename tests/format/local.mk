# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += \
	%D%/test_container \
	%D%/test_cut \
	%D%/test_damage \
	%D%/test_superblock
%C%_test_container_SOURCES = %D%/test_container.c %D%/samples.c %D%/samples.h
%C%_test_container_LDADD = $(TEST_LIBS)
%C%_test_cut_SOURCES = %D%/test_cut.c %D%/samples.c %D%/samples.h
%C%_test_cut_LDADD = $(TEST_LIBS)
%C%_test_damage_SOURCES = %D%/test_damage.c %D%/samples.c %D%/samples.h
%C%_test_damage_LDADD = $(TEST_LIBS)
%C%_test_superblock_SOURCES = %D%/test_superblock.c
%C%_test_superblock_LDADD = $(TEST_LIBS)
