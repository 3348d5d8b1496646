# SPDX-License-Identifier: GPL-2.0-or-later
# Add here: bin_PROGRAMS += mount-tools/deltafsctl
#	mount_tools_deltafsctl_SOURCES = mount-tools/deltafsctl.c
#	mount_tools_deltafsctl_LDADD = $(DELTAFS_LIBS)
