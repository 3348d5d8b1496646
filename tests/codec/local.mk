# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += \
	%D%/test_add %D%/test_add_signs \
	%D%/test_bitdelta \
	%D%/test_bitdelta_damage \
	%D%/test_dct \
	%D%/test_delta \
	%D%/test_delta_come \
	%D%/test_delta_come_hostile \
	%D%/test_delta_dct \
	%D%/test_delta_dct_odd \
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

noinst_PROGRAMS += %D%/lossy_cases

# Values with a prediction for the exact codecs; matrices, and lossy codecs driven over them.
CODEC_SAMPLES = %D%/samples.c %D%/samples.h %D%/random.h
CODEC_MATRIX = %D%/matrix.c %D%/matrix.h %D%/random.h
CODEC_DRIVEN = $(CODEC_MATRIX) %D%/driven.c %D%/driven.h
CODEC_MODEL = $(CODEC_DRIVEN) %D%/model.c %D%/model.h
CODEC_COME = $(CODEC_MODEL) %D%/come.c %D%/come.h

%C%_test_add_SOURCES = %D%/test_add.c %D%/sums.c %D%/sums.h $(CODEC_SAMPLES)
%C%_test_add_LDADD = $(TEST_LIBS)
%C%_test_add_signs_SOURCES = %D%/test_add_signs.c %D%/sums.c %D%/sums.h $(CODEC_SAMPLES)
%C%_test_add_signs_LDADD = $(TEST_LIBS)
%C%_test_bitdelta_SOURCES = %D%/test_bitdelta.c %D%/sums.c %D%/sums.h $(CODEC_DRIVEN)
%C%_test_bitdelta_LDADD = $(TEST_LIBS)
%C%_test_bitdelta_damage_SOURCES = %D%/test_bitdelta_damage.c $(CODEC_DRIVEN)
%C%_test_bitdelta_damage_LDADD = $(TEST_LIBS)
%C%_test_dct_SOURCES = %D%/test_dct.c %D%/random.h
%C%_test_dct_LDADD = $(TEST_LIBS)
%C%_test_delta_SOURCES = %D%/test_delta.c $(CODEC_MATRIX)
%C%_test_delta_LDADD = $(TEST_LIBS)
%C%_test_delta_come_SOURCES = %D%/test_delta_come.c $(CODEC_COME)
%C%_test_delta_come_LDADD = $(TEST_LIBS)
%C%_test_delta_come_hostile_SOURCES = %D%/test_delta_come_hostile.c $(CODEC_COME)
%C%_test_delta_come_hostile_LDADD = $(TEST_LIBS)
%C%_test_delta_dct_SOURCES = %D%/test_delta_dct.c $(CODEC_DRIVEN)
%C%_test_delta_dct_LDADD = $(TEST_LIBS)
%C%_test_delta_dct_odd_SOURCES = %D%/test_delta_dct_odd.c $(CODEC_MODEL)
%C%_test_delta_dct_odd_LDADD = $(TEST_LIBS)
%C%_test_entropy_SOURCES = %D%/test_entropy.c $(CODEC_SAMPLES)
%C%_test_entropy_LDADD = $(TEST_LIBS)
%C%_test_exact_SOURCES = %D%/test_exact.c $(CODEC_SAMPLES)
%C%_test_exact_LDADD = $(TEST_LIBS)
%C%_test_kernels_SOURCES = %D%/test_kernels.c $(CODEC_SAMPLES)
%C%_test_kernels_LDADD = $(TEST_LIBS)
%C%_test_reference_SOURCES = %D%/test_reference.c %D%/reference.c %D%/reference.h $(CODEC_SAMPLES)
%C%_test_reference_LDADD = $(TEST_LIBS)
%C%_test_roundtrip_SOURCES = %D%/test_roundtrip.c $(CODEC_SAMPLES)
%C%_test_roundtrip_LDADD = $(TEST_LIBS)
%C%_test_split_SOURCES = %D%/test_split.c $(CODEC_SAMPLES)
%C%_test_split_LDADD = $(TEST_LIBS)
%C%_test_trace_SOURCES = %D%/test_trace.c
%C%_test_trace_LDADD = $(TEST_LIBS)
%C%_test_ultradelta_SOURCES = %D%/test_ultradelta.c $(CODEC_MODEL)
%C%_test_ultradelta_LDADD = $(TEST_LIBS)
%C%_test_ultradelta_mask_SOURCES = %D%/test_ultradelta_mask.c $(CODEC_MODEL)
%C%_test_ultradelta_mask_LDADD = $(TEST_LIBS)
%C%_test_ultradelta_plan_SOURCES = %D%/test_ultradelta_plan.c $(CODEC_MODEL)
%C%_test_ultradelta_plan_LDADD = $(TEST_LIBS)
%C%_lossy_cases_SOURCES = %D%/lossy_cases.c $(CODEC_MODEL)
%C%_lossy_cases_LDADD = $(DELTAFS_LIBS)
