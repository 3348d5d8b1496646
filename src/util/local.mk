# SPDX-License-Identifier: GPL-2.0-or-later
src_libdeltafs_a_SOURCES += \
	%D%/auto.h \
	%D%/bytes.c %D%/bytes.h \
	%D%/cached.c %D%/cached.h \
	%D%/caps.c %D%/caps.h \
	%D%/clock.h \
	%D%/cpu.c %D%/cpu.h \
	%D%/due.c %D%/due.h \
	%D%/duration.c %D%/duration.h \
	%D%/err.c %D%/err.h \
	%D%/fdpath.h \
	%D%/glob.c %D%/glob.h \
	%D%/hash.c %D%/hash.h \
	%D%/io.c %D%/io.h \
	%D%/log.c %D%/log.h \
	%D%/mountinfo.c %D%/mountinfo.h \
	%D%/nearest.c %D%/nearest.h \
	%D%/pool.c %D%/pool.h \
	%D%/rounding.h \
	%D%/text.h \
	%D%/thread.h \
	%D%/tree.c %D%/tree.h
