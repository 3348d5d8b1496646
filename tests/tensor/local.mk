# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += %D%/test_convert %D%/test_dtype %D%/test_hostile %D%/test_linear \
	%D%/test_round %D%/test_safetensors

%C%_test_convert_SOURCES = %D%/test_convert.c %D%/floats.h
%C%_test_convert_LDADD = $(TEST_LIBS)
%C%_test_dtype_SOURCES = %D%/test_dtype.c
%C%_test_dtype_LDADD = $(TEST_LIBS)
%C%_test_hostile_SOURCES = %D%/test_hostile.c %D%/parsing.h
%C%_test_hostile_LDADD = $(TEST_LIBS)
%C%_test_linear_SOURCES = %D%/test_linear.c
%C%_test_linear_LDADD = $(TEST_LIBS)
%C%_test_round_SOURCES = %D%/test_round.c %D%/floats.h
%C%_test_round_LDADD = $(TEST_LIBS)
%C%_test_safetensors_SOURCES = %D%/test_safetensors.c %D%/parsing.h
%C%_test_safetensors_LDADD = $(TEST_LIBS)
