# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += %D%/test_admit %D%/test_ahead %D%/test_damage %D%/test_gate \
	%D%/test_hostile %D%/test_limit %D%/test_settle %D%/test_view

%C%_test_admit_SOURCES = %D%/test_admit.c
%C%_test_admit_LDADD = $(TEST_LIBS)
%C%_test_ahead_SOURCES = %D%/test_ahead.c %D%/pair.c %D%/pair.h
%C%_test_ahead_LDADD = $(TEST_LIBS)
%C%_test_damage_SOURCES = %D%/test_damage.c %D%/pair.c %D%/pair.h
%C%_test_damage_LDADD = $(TEST_LIBS)
%C%_test_gate_SOURCES = %D%/test_gate.c %D%/pair.c %D%/pair.h
%C%_test_gate_LDADD = $(TEST_LIBS)
%C%_test_gate_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pread -Wl,--wrap=getpwuid_r -Wl,--wrap=getgrouplist
%C%_test_hostile_SOURCES = %D%/test_hostile.c %D%/pair.c %D%/pair.h
%C%_test_hostile_LDADD = $(TEST_LIBS)
%C%_test_limit_SOURCES = %D%/test_limit.c
%C%_test_limit_LDADD = $(TEST_LIBS)
%C%_test_settle_SOURCES = %D%/test_settle.c %D%/pair.c %D%/pair.h
%C%_test_settle_LDADD = $(TEST_LIBS)
%C%_test_settle_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pread
%C%_test_view_SOURCES = %D%/test_view.c %D%/pair.c %D%/pair.h
%C%_test_view_LDADD = $(TEST_LIBS)
