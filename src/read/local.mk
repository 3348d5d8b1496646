# SPDX-License-Identifier: GPL-2.0-or-later
src_libdeltafs_a_SOURCES += \
	%D%/ahead.c %D%/ahead.h \
	%D%/allow.c %D%/allow.h \
	%D%/bases.c \
	%D%/blocking.c \
	%D%/buffer.c %D%/buffer.h \
	%D%/cache.c %D%/cache.h \
	%D%/chunk.c \
	%D%/chunks.c %D%/chunks.h \
	%D%/describe.c %D%/describe.h \
	%D%/flight.c \
	%D%/gate.c %D%/gate.h \
	%D%/hint.c \
	%D%/internal.h \
	%D%/limit.c %D%/limit.h \
	%D%/names.c %D%/names.h \
	%D%/plain.c \
	%D%/reader.c %D%/reader.h \
	%D%/request.c %D%/request.h \
	%D%/segment.c \
	%D%/settle.c %D%/settle.h \
	%D%/tables.c %D%/tables.h \
	%D%/view.c %D%/view.h \
	%D%/worker.c %D%/worker.h
