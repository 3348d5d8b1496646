# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += \
	%D%/test_add \
	%D%/test_bitdelta \
	%D%/test_bitdelta_damage \
	%D%/test_delta \
	%D%/test_entropy \
	%D%/test_exact \
	%D%/test_kernels \
	%D%/test_reference \
	%D%/test_roundtrip \
	%D%/test_split

%C%_test_add_SOURCES = %D%/test_add.c %D%/sums.c %D%/sums.h %D%/samples.c %D%/samples.h
%C%_test_add_LDADD = $(TEST_LIBS)
%C%_test_bitdelta_SOURCES = %D%/test_bitdelta.c %D%/lossy.c %D%/lossy.h %D%/sums.c %D%/sums.h %D%/samples.c %D%/samples.h
%C%_test_bitdelta_LDADD = $(TEST_LIBS)
%C%_test_bitdelta_damage_SOURCES = %D%/test_bitdelta_damage.c %D%/lossy.c %D%/lossy.h %D%/samples.c %D%/samples.h
%C%_test_bitdelta_damage_LDADD = $(TEST_LIBS)
%C%_test_delta_SOURCES = %D%/test_delta.c %D%/lossy.c %D%/lossy.h %D%/samples.c %D%/samples.h
%C%_test_delta_LDADD = $(TEST_LIBS)
%C%_test_entropy_SOURCES = %D%/test_entropy.c %D%/samples.c %D%/samples.h
%C%_test_entropy_LDADD = $(TEST_LIBS)
%C%_test_exact_SOURCES = %D%/test_exact.c %D%/samples.c %D%/samples.h
%C%_test_exact_LDADD = $(TEST_LIBS)
%C%_test_kernels_SOURCES = %D%/test_kernels.c %D%/samples.c %D%/samples.h
%C%_test_kernels_LDADD = $(TEST_LIBS)
%C%_test_reference_SOURCES = %D%/test_reference.c %D%/reference.c %D%/reference.h \
	%D%/samples.c %D%/samples.h
%C%_test_reference_LDADD = $(TEST_LIBS)
%C%_test_roundtrip_SOURCES = %D%/test_roundtrip.c %D%/samples.c %D%/samples.h
%C%_test_roundtrip_LDADD = $(TEST_LIBS)
%C%_test_split_SOURCES = %D%/test_split.c %D%/samples.c %D%/samples.h
%C%_test_split_LDADD = $(TEST_LIBS)
