# SPDX-License-Identifier: GPL-2.0-or-later

dist_man_MANS += man/deltafs.1 man/deltafsctl.1 man/deltafs-format.5 man/deltafs.7 man/deltafs-codecs.7 man/fsck.deltafs.8 man/mount.deltafs.8
