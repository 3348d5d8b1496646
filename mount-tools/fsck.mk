# SPDX-License-Identifier: GPL-2.0-or-later
# fsck(8) looks for it where mount(8) looks for its helpers.
fsckexecdir = $(mounthelperdir)
fsckexec_PROGRAMS = mount-tools/fsck.deltafs
mount_tools_fsck_deltafs_SOURCES = mount-tools/fsck.c \
	mount-tools/version.c mount-tools/version.h \
	mount-tools/ctl/ctl.h \
	mount-tools/ctl/mounts.c mount-tools/ctl/mounts.h \
	mount-tools/ctl/process.c mount-tools/ctl/process.h \
	mount-tools/ctl/progress.c mount-tools/ctl/progress.h \
	mount-tools/ctl/text.c mount-tools/ctl/text.h \
	mount-tools/fsck/options.c mount-tools/fsck/options.h \
	mount-tools/fsck/report.c mount-tools/fsck/report.h
mount_tools_fsck_deltafs_LDADD = $(DELTAFS_LIBS)
