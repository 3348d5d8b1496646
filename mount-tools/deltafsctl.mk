# SPDX-License-Identifier: GPL-2.0-or-later
bin_PROGRAMS += mount-tools/deltafsctl
mount_tools_deltafsctl_SOURCES = mount-tools/deltafsctl.c \
	mount-tools/ctl/bases.c mount-tools/ctl/bases.h \
	mount-tools/ctl/ctl.h \
	mount-tools/ctl/decode.c \
	mount-tools/ctl/encode.c \
	mount-tools/ctl/mounts.c mount-tools/ctl/mounts.h \
	mount-tools/ctl/options.c mount-tools/ctl/options.h \
	mount-tools/ctl/outfile.c mount-tools/ctl/outfile.h \
	mount-tools/ctl/progress.c mount-tools/ctl/progress.h \
	mount-tools/ctl/results.c mount-tools/ctl/results.h \
	mount-tools/ctl/session.c mount-tools/ctl/session.h \
	mount-tools/ctl/text.c mount-tools/ctl/text.h \
	mount-tools/ctl/walk.c mount-tools/ctl/walk.h
mount_tools_deltafsctl_LDADD = $(DELTAFS_LIBS)
