# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += %D%/test_choose %D%/test_classify %D%/test_encode %D%/test_verify
check_PROGRAMS += %D%/test_queue %D%/test_queue_memory %D%/test_queue_random %D%/test_queue_threads %D%/test_reasons %D%/test_rest
check_PROGRAMS += %D%/test_ledger %D%/test_queue_asking %D%/test_queue_quiet %D%/test_shards
check_PROGRAMS += %D%/test_check %D%/test_keeper
check_PROGRAMS += %D%/test_declined %D%/test_lossy %D%/test_spec
check_PROGRAMS += %D%/test_cover %D%/test_thaw %D%/test_thaw_fail %D%/test_thaw_race %D%/test_thaw_turns
check_PROGRAMS += %D%/test_candidates %D%/test_elect %D%/test_turn
check_PROGRAMS += %D%/test_bundle %D%/test_layout %D%/test_match %D%/test_match_prefix

%C%_test_bundle_SOURCES = %D%/test_bundle.c %D%/headers.h %D%/laid_out.h
%C%_test_bundle_LDADD = $(TEST_LIBS)
%C%_test_layout_SOURCES = %D%/test_layout.c %D%/headers.h %D%/laid_out.h
%C%_test_layout_LDADD = $(TEST_LIBS)
%C%_test_match_SOURCES = %D%/test_match.c %D%/headers.h %D%/matched.h
%C%_test_match_LDADD = $(TEST_LIBS)
%C%_test_match_prefix_SOURCES = %D%/test_match_prefix.c %D%/headers.h %D%/matched.h
%C%_test_match_prefix_LDADD = $(TEST_LIBS)
%C%_test_candidates_SOURCES = %D%/test_candidates.c tests/store/given.h
%C%_test_candidates_LDADD = $(TEST_LIBS)
%C%_test_turn_SOURCES = %D%/test_turn.c
%C%_test_turn_LDADD = $(TEST_LIBS)
%C%_test_elect_SOURCES = %D%/test_elect.c %D%/headers.h tests/store/given.h
%C%_test_elect_LDADD = $(TEST_LIBS)
%C%_test_choose_SOURCES = %D%/test_choose.c %D%/files.h %D%/headers.h
%C%_test_choose_LDADD = $(TEST_LIBS)
%C%_test_classify_SOURCES = %D%/test_classify.c %D%/files.h %D%/headers.h
%C%_test_classify_LDADD = $(TEST_LIBS)
%C%_test_encode_SOURCES = %D%/test_encode.c %D%/files.h %D%/headers.h
%C%_test_encode_LDADD = $(TEST_LIBS)
%C%_test_declined_SOURCES = %D%/test_declined.c %D%/given_up.h %D%/files.h %D%/headers.h
%C%_test_declined_LDADD = $(TEST_LIBS)
%C%_test_lossy_SOURCES = %D%/test_lossy.c %D%/given_up.h %D%/files.h %D%/headers.h
%C%_test_lossy_LDADD = $(TEST_LIBS)
%C%_test_spec_SOURCES = %D%/test_spec.c
%C%_test_spec_LDADD = $(TEST_LIBS)
%C%_test_verify_SOURCES = %D%/test_verify.c %D%/files.h %D%/headers.h
%C%_test_verify_LDADD = $(TEST_LIBS)
%C%_test_check_SOURCES = %D%/test_check.c %D%/files.h %D%/headers.h tests/store/given.h
%C%_test_check_LDADD = $(TEST_LIBS)
%C%_test_keeper_SOURCES = %D%/test_keeper.c tests/store/given.h
%C%_test_keeper_LDADD = $(TEST_LIBS)
%C%_test_rest_SOURCES = %D%/test_rest.c tests/store/given.h
%C%_test_rest_LDADD = $(TEST_LIBS)
%C%_test_queue_SOURCES = %D%/test_queue.c %D%/queued.h tests/store/given.h
%C%_test_queue_LDADD = $(TEST_LIBS)
%C%_test_queue_random_SOURCES = %D%/test_queue_random.c %D%/queued.h tests/store/given.h
%C%_test_queue_random_LDADD = $(TEST_LIBS)
%C%_test_queue_threads_SOURCES = %D%/test_queue_threads.c %D%/queued.h tests/store/given.h
%C%_test_queue_threads_LDADD = $(TEST_LIBS)
%C%_test_reasons_SOURCES = %D%/test_reasons.c tests/store/given.h
%C%_test_reasons_LDADD = $(TEST_LIBS)
%C%_test_queue_memory_SOURCES = %D%/test_queue_memory.c tests/no_memory.h %D%/queued.h tests/store/given.h
%C%_test_queue_memory_LDADD = $(TEST_LIBS)
%C%_test_queue_memory_LDFLAGS = $(AM_LDFLAGS) $(NO_MEMORY_LDFLAGS)
%C%_test_cover_SOURCES = %D%/test_cover.c
%C%_test_cover_LDADD = $(TEST_LIBS)
%C%_test_thaw_SOURCES = %D%/test_thaw.c %D%/thawing.h %D%/files.h %D%/headers.h tests/store/given.h
%C%_test_thaw_LDADD = $(TEST_LIBS)
%C%_test_thaw_fail_SOURCES = %D%/test_thaw_fail.c %D%/thawing.h %D%/files.h %D%/headers.h tests/store/given.h
%C%_test_thaw_fail_LDADD = $(TEST_LIBS)
%C%_test_thaw_race_SOURCES = %D%/test_thaw_race.c %D%/thawing.h %D%/files.h %D%/headers.h tests/store/given.h
%C%_test_thaw_race_LDADD = $(TEST_LIBS)
%C%_test_thaw_turns_SOURCES = %D%/test_thaw_turns.c %D%/thawing.h %D%/files.h %D%/headers.h tests/store/given.h
%C%_test_thaw_turns_LDADD = $(TEST_LIBS)

# Calls that a test holds up, or makes fail.
%C%_test_thaw_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fallocate -Wl,--wrap=fstatvfs -Wl,--wrap=dfs_view_size
%C%_test_thaw_fail_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pwrite -Wl,--wrap=dfs_view_submit
%C%_test_shards_SOURCES = %D%/test_shards.c %D%/queued.h tests/store/given.h
%C%_test_shards_LDADD = $(TEST_LIBS)
%C%_test_ledger_SOURCES = %D%/test_ledger.c tests/store/given.h
%C%_test_ledger_LDADD = $(TEST_LIBS)
%C%_test_queue_quiet_SOURCES = %D%/test_queue_quiet.c %D%/queued.h tests/store/given.h
%C%_test_queue_quiet_LDADD = $(TEST_LIBS)
%C%_test_queue_asking_SOURCES = %D%/test_queue_asking.c %D%/queued.h tests/store/given.h
%C%_test_queue_asking_LDADD = $(TEST_LIBS)
%C%_test_thaw_turns_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=pwrite -Wl,--wrap=dfs_view_submit
