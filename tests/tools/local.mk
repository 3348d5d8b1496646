# SPDX-License-Identifier: GPL-2.0-or-later
# Programs that make what tests need.
noinst_PROGRAMS += %D%/make_pair
%C%_make_pair_SOURCES = %D%/make_pair.c %D%/floats.c %D%/floats.h %D%/random.c %D%/random.h
%C%_make_pair_LDADD = -lm
