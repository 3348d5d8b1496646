# SPDX-License-Identifier: GPL-2.0-or-later
# Add here: src_libdeltafs_a_SOURCES += %D%/x.c %D%/x.h
