# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += \
	%D%/test_access \
	%D%/test_bases \
	%D%/test_claim \
	%D%/test_dependants \
	%D%/test_expand \
	%D%/test_hashes \
	%D%/test_identity \
	%D%/test_kept \
	%D%/test_limits \
	%D%/test_lock \
	%D%/test_memory \
	%D%/test_move \
	%D%/test_origin \
	%D%/test_pending \
	%D%/test_pending_damage \
	%D%/test_pending_faults \
	%D%/test_pending_threads \
	%D%/test_pins \
	%D%/test_plain_mark \
	%D%/test_policy \
	%D%/test_publish \
	%D%/test_publish_order \
	%D%/test_registry \
	%D%/test_registry_crash \
	%D%/test_registry_pinned \
	%D%/test_registry_remove \
	%D%/test_store \
	%D%/test_walk
%C%_test_access_SOURCES = %D%/test_access.c %D%/given.h
%C%_test_access_LDADD = $(TEST_LIBS)
%C%_test_bases_SOURCES = %D%/test_bases.c %D%/given.h %D%/given_bases.h
%C%_test_bases_LDADD = $(TEST_LIBS)
%C%_test_claim_SOURCES = %D%/test_claim.c %D%/given.h
%C%_test_claim_LDADD = $(TEST_LIBS)
%C%_test_dependants_SOURCES = %D%/test_dependants.c %D%/given.h
%C%_test_dependants_LDADD = $(TEST_LIBS)
%C%_test_expand_SOURCES = %D%/test_expand.c %D%/given.h
%C%_test_expand_LDADD = $(TEST_LIBS)
%C%_test_hashes_SOURCES = %D%/test_hashes.c %D%/given.h
%C%_test_hashes_LDADD = $(TEST_LIBS)
%C%_test_identity_SOURCES = %D%/test_identity.c %D%/given.h %D%/given_bases.h
%C%_test_identity_LDADD = $(TEST_LIBS)
%C%_test_kept_SOURCES = %D%/test_kept.c %D%/given.h
%C%_test_kept_LDADD = $(TEST_LIBS)
%C%_test_limits_SOURCES = %D%/test_limits.c %D%/given.h
%C%_test_limits_LDADD = $(TEST_LIBS)
%C%_test_lock_SOURCES = %D%/test_lock.c %D%/given.h
%C%_test_lock_LDADD = $(TEST_LIBS)
%C%_test_memory_SOURCES = %D%/test_memory.c tests/no_memory.h %D%/given.h %D%/given_models.h
%C%_test_memory_LDADD = $(TEST_LIBS)
%C%_test_move_SOURCES = %D%/test_move.c %D%/given.h %D%/given_models.h
%C%_test_move_LDADD = $(TEST_LIBS)
%C%_test_origin_SOURCES = %D%/test_origin.c %D%/given.h
%C%_test_origin_LDADD = $(TEST_LIBS)
%C%_test_pending_SOURCES = %D%/test_pending.c %D%/given.h %D%/given_pending.h
%C%_test_pending_LDADD = $(TEST_LIBS)
%C%_test_pending_damage_SOURCES = %D%/test_pending_damage.c %D%/given.h %D%/given_pending.h
%C%_test_pending_damage_LDADD = $(TEST_LIBS)
%C%_test_pending_faults_SOURCES = %D%/test_pending_faults.c %D%/given.h %D%/given_pending.h
%C%_test_pending_faults_LDADD = $(TEST_LIBS)
%C%_test_pending_threads_SOURCES = %D%/test_pending_threads.c %D%/given.h %D%/given_pending.h
%C%_test_pending_threads_LDADD = $(TEST_LIBS)
%C%_test_plain_mark_SOURCES = %D%/test_plain_mark.c %D%/given.h
%C%_test_plain_mark_LDADD = $(TEST_LIBS)
%C%_test_pins_SOURCES = %D%/test_pins.c %D%/given.h
%C%_test_pins_LDADD = $(TEST_LIBS)
%C%_test_policy_SOURCES = %D%/test_policy.c %D%/given.h
%C%_test_policy_LDADD = $(TEST_LIBS)
%C%_test_publish_SOURCES = %D%/test_publish.c %D%/given.h
%C%_test_publish_LDADD = $(TEST_LIBS)
%C%_test_publish_order_SOURCES = %D%/test_publish_order.c %D%/given.h
%C%_test_publish_order_LDADD = $(TEST_LIBS)
%C%_test_registry_SOURCES = %D%/test_registry.c %D%/given.h %D%/given_models.h
%C%_test_registry_LDADD = $(TEST_LIBS)
%C%_test_registry_crash_SOURCES = %D%/test_registry_crash.c %D%/given.h
%C%_test_registry_crash_LDADD = $(TEST_LIBS)
%C%_test_registry_pinned_SOURCES = %D%/test_registry_pinned.c %D%/given.h %D%/given_models.h
%C%_test_registry_pinned_LDADD = $(TEST_LIBS)
%C%_test_registry_remove_SOURCES = %D%/test_registry_remove.c %D%/given.h %D%/given_models.h
%C%_test_registry_remove_LDADD = $(TEST_LIBS)
%C%_test_store_SOURCES = %D%/test_store.c %D%/given.h
%C%_test_store_LDADD = $(TEST_LIBS)
%C%_test_walk_SOURCES = %D%/test_walk.c %D%/given.h
%C%_test_walk_LDADD = $(TEST_LIBS)

# Calls that a test makes fail, or dies in, at a place of its choice.
%C%_test_dependants_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=readdir
%C%_test_limits_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=fgetxattr -Wl,--wrap=flock -Wl,--wrap=linkat
%C%_test_memory_LDFLAGS = $(AM_LDFLAGS) $(NO_MEMORY_LDFLAGS)
%C%_test_pending_faults_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=write -Wl,--wrap=fsync -Wl,--wrap=renameat
%C%_test_pending_threads_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=write
%C%_test_pins_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=linkat -Wl,--wrap=fstatvfs -Wl,--wrap=ioctl
%C%_test_publish_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=fsetxattr -Wl,--wrap=fremovexattr -Wl,--wrap=fchmod -Wl,--wrap=fchown \
	-Wl,--wrap=futimens -Wl,--wrap=renameat -Wl,--wrap=unlinkat -Wl,--wrap=fsync
%C%_test_publish_order_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=fsetxattr -Wl,--wrap=fremovexattr -Wl,--wrap=fchmod -Wl,--wrap=fchown \
	-Wl,--wrap=futimens -Wl,--wrap=renameat -Wl,--wrap=fsync
%C%_test_registry_crash_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=linkat -Wl,--wrap=renameat -Wl,--wrap=unlinkat -Wl,--wrap=fsync
