# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += %D%/test_predict

%C%_test_predict_SOURCES = %D%/test_predict.c
%C%_test_predict_LDADD = $(TEST_LIBS)
