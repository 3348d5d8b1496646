# SPDX-License-Identifier: GPL-2.0-or-later
src_libdeltafs_a_SOURCES += \
	%D%/access.c %D%/access.h \
	%D%/access_check.c \
	%D%/attributes.c \
	%D%/base_search.c %D%/base_search.h \
	%D%/bases.c %D%/bases.h \
	%D%/check.c %D%/check.h %D%/check_internal.h \
	%D%/check_bases.c \
	%D%/check_kept.c \
	%D%/check_models.c \
	%D%/check_outside.c \
	%D%/check_state.c \
	%D%/claim.c %D%/claim.h \
	%D%/dependants.c %D%/dependants.h \
	%D%/expand.c %D%/expand.h \
	%D%/files.c \
	%D%/hashes.c %D%/hashes.h \
	%D%/hub.c %D%/hub.h \
	%D%/internal.h \
	%D%/journal.c %D%/journal.h %D%/journal_anew.c %D%/journal_state.h \
	%D%/journal_line.c %D%/journal_line.h \
	%D%/json.c %D%/json.h \
	%D%/kept.c %D%/kept.h %D%/kept_list.c %D%/kept_record.c \
	%D%/limits.c %D%/limits.h \
	%D%/load.c \
	%D%/lock.c \
	%D%/mark.c %D%/mark.h \
	%D%/openat.c \
	%D%/origin.c %D%/origin.h \
	%D%/paths.c \
	%D%/pending.c %D%/pending.h \
	%D%/pin_add.c \
	%D%/pin_detach.c \
	%D%/pin_links.c %D%/pin_links.h \
	%D%/pins.c %D%/pins.h \
	%D%/plain_mark.c %D%/plain_mark.h \
	%D%/places.c %D%/places.h \
	%D%/policy.c %D%/policy.h %D%/policy_tree.c \
	%D%/publish.c %D%/publish.h \
	%D%/registry.c %D%/registry.h \
	%D%/registry_add.c \
	%D%/registry_find.c \
	%D%/registry_json.c %D%/registry_json.h \
	%D%/registry_remove.c \
	%D%/registry_write.c \
	%D%/store.c %D%/store.h \
	%D%/walk.c %D%/walk.h
