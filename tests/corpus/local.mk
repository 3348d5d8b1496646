# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += %D%/test_corpus
%C%_test_corpus_SOURCES = %D%/test_corpus.c
%C%_test_corpus_CPPFLAGS = $(AM_CPPFLAGS) -DCORPUS='"$(abs_top_srcdir)/tests/corpus"'
%C%_test_corpus_LDADD = $(TEST_LIBS)

noinst_PROGRAMS += %D%/verdict
%C%_verdict_SOURCES = %D%/verdict.c
%C%_verdict_LDADD = $(DELTAFS_LIBS)
