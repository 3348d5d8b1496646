# SPDX-License-Identifier: GPL-2.0-or-later
# One file a command, and what they share.
bin_PROGRAMS += mount-tools/deltafsctl
mount_tools_deltafsctl_SOURCES = mount-tools/deltafsctl.c \
	mount-tools/version.c mount-tools/version.h \
	mount-tools/ctl/account.c \
	mount-tools/ctl/anew.c mount-tools/ctl/anew.h \
	mount-tools/ctl/account.h \
	mount-tools/ctl/base_add.c \
	mount-tools/ctl/base_list.c \
	mount-tools/ctl/base_mounted.c mount-tools/ctl/base_mounted.h \
	mount-tools/ctl/base_norm.c mount-tools/ctl/base_norm.h \
	mount-tools/ctl/base_remove.c \
	mount-tools/ctl/bases.c \
	mount-tools/ctl/bases.h \
	mount-tools/ctl/ctl.h \
	mount-tools/ctl/daemon.c mount-tools/ctl/daemon.h \
	mount-tools/ctl/daemon_find.c \
	mount-tools/ctl/decode.c \
	mount-tools/ctl/du.c \
	mount-tools/ctl/encode.c \
	mount-tools/ctl/estimate.c \
	mount-tools/ctl/export.c \
	mount-tools/ctl/families.c \
	mount-tools/ctl/families.h \
	mount-tools/ctl/found_bases.c mount-tools/ctl/found_bases.h \
	mount-tools/ctl/import.c \
	mount-tools/ctl/import_mounted.c mount-tools/ctl/import_mounted.h \
	mount-tools/ctl/gamma.c mount-tools/ctl/gamma.h \
	mount-tools/ctl/info.c \
	mount-tools/ctl/consent.c mount-tools/ctl/consent.h \
	mount-tools/ctl/kept.c mount-tools/ctl/kept.h \
	mount-tools/ctl/left.c mount-tools/ctl/left.h \
	mount-tools/ctl/trials.c mount-tools/ctl/trials.h \
	mount-tools/ctl/lines.c \
	mount-tools/ctl/lines.h \
	mount-tools/ctl/listing.c \
	mount-tools/ctl/listing.h \
	mount-tools/ctl/lost_store.c mount-tools/ctl/lost_store.h \
	mount-tools/ctl/ls.c \
	mount-tools/ctl/mounted.c mount-tools/ctl/mounted.h \
	mount-tools/ctl/mounts.c \
	mount-tools/ctl/mounts.h \
	mount-tools/ctl/options.c \
	mount-tools/ctl/options.h \
	mount-tools/ctl/outfile.c \
	mount-tools/ctl/outfile.h \
	mount-tools/ctl/patterns.c mount-tools/ctl/patterns.h \
	mount-tools/ctl/policy.c \
	mount-tools/ctl/policy_place.c mount-tools/ctl/policy_place.h \
	mount-tools/ctl/process.c mount-tools/ctl/process.h \
	mount-tools/ctl/progress.c \
	mount-tools/ctl/progress.h \
	mount-tools/ctl/results.c \
	mount-tools/ctl/results.h \
	mount-tools/ctl/session.c \
	mount-tools/ctl/session.h \
	mount-tools/ctl/shown.c mount-tools/ctl/shown.h \
	mount-tools/ctl/status.c \
	mount-tools/ctl/survey.c mount-tools/ctl/survey.h \
	mount-tools/ctl/text.c \
	mount-tools/ctl/text.h \
	mount-tools/ctl/transfer.c \
	mount-tools/ctl/transfer.h \
	mount-tools/ctl/verify.c \
	mount-tools/ctl/wait.c \
	mount-tools/ctl/walk.c \
	mount-tools/ctl/walk.h
mount_tools_deltafsctl_LDADD = $(DELTAFS_LIBS)
