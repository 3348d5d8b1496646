# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += \
	%D%/test_add \
	%D%/test_bitdelta \
	%D%/test_bitdelta_damage \
	%D%/test_delta \
	%D%/test_delta_come \
	%D%/test_delta_come_hostile \
	%D%/test_entropy \
	%D%/test_exact \
	%D%/test_kernels \
	%D%/test_reference \
	%D%/test_roundtrip \
	%D%/test_split \
	%D%/test_trace \
	%D%/test_ultradelta \
	%D%/test_ultradelta_mask \
	%D%/test_ultradelta_plan

%C%_test_add_SOURCES = %D%/test_add.c %D%/sums.c %D%/sums.h %D%/samples.c %D%/samples.h
%C%_test_add_LDADD = $(TEST_LIBS)
%C%_test_bitdelta_SOURCES = %D%/test_bitdelta.c %D%/lossy.c %D%/lossy.h %D%/sums.c %D%/sums.h %D%/samples.c %D%/samples.h
%C%_test_bitdelta_LDADD = $(TEST_LIBS)
%C%_test_bitdelta_damage_SOURCES = %D%/test_bitdelta_damage.c %D%/lossy.c %D%/lossy.h %D%/samples.c %D%/samples.h
%C%_test_bitdelta_damage_LDADD = $(TEST_LIBS)
%C%_test_delta_SOURCES = %D%/test_delta.c %D%/lossy.c %D%/lossy.h %D%/samples.c %D%/samples.h
%C%_test_delta_LDADD = $(TEST_LIBS)
%C%_test_delta_come_SOURCES = %D%/test_delta_come.c %D%/come.c %D%/come.h %D%/come_check.h \
	%D%/drive.c %D%/drive.h %D%/samples.c %D%/samples.h
%C%_test_delta_come_LDADD = $(TEST_LIBS)
%C%_test_delta_come_hostile_SOURCES = %D%/test_delta_come_hostile.c %D%/come.c %D%/come.h %D%/come_check.h \
	%D%/drive.c %D%/drive.h %D%/samples.c %D%/samples.h
%C%_test_delta_come_hostile_LDADD = $(TEST_LIBS)
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
%C%_test_trace_SOURCES = %D%/test_trace.c
%C%_test_trace_LDADD = $(TEST_LIBS)

noinst_PROGRAMS += %D%/come_sample
%C%_come_sample_SOURCES = %D%/come_sample.c %D%/come.c %D%/come.h %D%/drive.c %D%/drive.h \
	%D%/samples.c %D%/samples.h
%C%_come_sample_LDADD = $(DELTAFS_LIBS)
check_PROGRAMS += \
	%D%/test_dct \
	%D%/test_delta_dct \
	%D%/test_delta_dct_odd
noinst_PROGRAMS += %D%/lossy_cases
%C%_test_dct_SOURCES = %D%/test_dct.c %D%/driven.c %D%/driven.h
%C%_test_dct_LDADD = $(TEST_LIBS)
%C%_test_delta_dct_SOURCES = %D%/test_delta_dct.c %D%/driven.c %D%/driven.h
%C%_test_delta_dct_LDADD = $(TEST_LIBS)
%C%_test_delta_dct_odd_SOURCES = %D%/test_delta_dct_odd.c %D%/driven.c %D%/driven.h
%C%_test_delta_dct_odd_LDADD = $(TEST_LIBS)
%C%_lossy_cases_SOURCES = %D%/lossy_cases.c %D%/driven.c %D%/driven.h
%C%_lossy_cases_LDADD = $(DELTAFS_LIBS)
%C%_test_ultradelta_SOURCES = %D%/test_ultradelta.c %D%/lossy_model.c %D%/lossy_model.h \
	%D%/samples.c %D%/samples.h
%C%_test_ultradelta_LDADD = $(TEST_LIBS)
%C%_test_ultradelta_mask_SOURCES = %D%/test_ultradelta_mask.c %D%/lossy_model.c %D%/lossy_model.h \
	%D%/samples.c %D%/samples.h
%C%_test_ultradelta_mask_LDADD = $(TEST_LIBS)
%C%_test_ultradelta_plan_SOURCES = %D%/test_ultradelta_plan.c %D%/lossy_model.c %D%/lossy_model.h \
	%D%/samples.c %D%/samples.h
%C%_test_ultradelta_plan_LDADD = $(TEST_LIBS)
