# SPDX-License-Identifier: GPL-2.0-or-later
# tests mirrors src. A program in check_PROGRAMS is a unit test; helpers of
# shell tests are noinst_PROGRAMS.

# What tests/no_memory.h wraps.
NO_MEMORY_LDFLAGS = -Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc -Wl,--wrap=reallocarray \
	-Wl,--wrap=strdup -Wl,--wrap=strndup

include tests/util/local.mk
include tests/format/local.mk
include tests/tensor/local.mk
include tests/predict/local.mk
include tests/codec/local.mk
include tests/store/local.mk
include tests/read/local.mk
include tests/write/local.mk
include tests/fuse/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk
include tests/clients/local.mk
include tests/mount/local.mk
include tests/tools/local.mk
include tests/ctl/local.mk
include tests/faults/local.mk
include tests/posix/local.mk
include tests/adversary/local.mk
include tests/corpus/local.mk
include tests/ref/local.mk
include tests/exerciser/local.mk
