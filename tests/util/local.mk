# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += \
	%D%/test_bytes \
	%D%/test_caps \
	%D%/test_cpu \
	%D%/test_due \
	%D%/test_duration \
	%D%/test_err \
	%D%/test_glob \
	%D%/test_hash \
	%D%/test_io \
	%D%/test_log \
	%D%/test_pool \
	%D%/test_tree
%C%_test_bytes_SOURCES = %D%/test_bytes.c
%C%_test_bytes_LDADD = $(TEST_LIBS)
%C%_test_caps_SOURCES = %D%/test_caps.c
%C%_test_caps_LDADD = $(TEST_LIBS)
%C%_test_cpu_SOURCES = %D%/test_cpu.c
%C%_test_cpu_LDADD = $(TEST_LIBS)
%C%_test_duration_SOURCES = %D%/test_duration.c
%C%_test_duration_LDADD = $(TEST_LIBS)
%C%_test_due_SOURCES = %D%/test_due.c
%C%_test_due_LDADD = $(TEST_LIBS)
%C%_test_err_SOURCES = %D%/test_err.c
%C%_test_err_LDADD = $(TEST_LIBS)
%C%_test_glob_SOURCES = %D%/test_glob.c
%C%_test_glob_LDADD = $(TEST_LIBS)
%C%_test_hash_SOURCES = %D%/test_hash.c
%C%_test_hash_LDADD = $(TEST_LIBS)
%C%_test_io_SOURCES = %D%/test_io.c
%C%_test_io_LDADD = $(TEST_LIBS)
%C%_test_log_SOURCES = %D%/test_log.c
%C%_test_log_LDADD = $(TEST_LIBS)
%C%_test_pool_SOURCES = %D%/test_pool.c
%C%_test_pool_LDADD = $(TEST_LIBS)
%C%_test_tree_SOURCES = %D%/test_tree.c
%C%_test_tree_LDADD = $(TEST_LIBS)
