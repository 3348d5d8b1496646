# SPDX-License-Identifier: GPL-2.0-or-later
src_libdeltafs_a_SOURCES += \
	%D%/classify.c %D%/classify.h \
	%D%/encode.c %D%/encode.h \
	%D%/expect.c %D%/expect.h \
	%D%/model.c %D%/model.h \
	%D%/output.c %D%/output.h \
	%D%/provenance.c %D%/provenance.h \
	%D%/schedule.c %D%/schedule.h \
	%D%/span.c %D%/span.h \
	%D%/spec.c %D%/spec.h \
	%D%/work.c %D%/work.h
