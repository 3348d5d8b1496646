# SPDX-License-Identifier: GPL-2.0-or-later
# Add here (under `if FUSE`): bin_PROGRAMS += mount-tools/deltafs
#	mount_tools_deltafs_SOURCES = mount-tools/deltafs.c
#	mount_tools_deltafs_CPPFLAGS = $(AM_CPPFLAGS) $(FUSE_CFLAGS)
#	mount_tools_deltafs_LDADD = $(DELTAFS_FUSE_LIBS)
