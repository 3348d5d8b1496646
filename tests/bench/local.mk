# SPDX-License-Identifier: GPL-2.0-or-later
# Programs of the benchmarks; run.sh, the *.py and their data need no rule.
noinst_PROGRAMS += %D%/readfile %D%/bitx
%C%_readfile_SOURCES = %D%/readfile.c
%C%_bitx_SOURCES = %D%/bitx.c
%C%_bitx_LDADD = $(ZSTD_LIBS)
noinst_PROGRAMS += %D%/codec_bench
%C%_codec_bench_SOURCES = %D%/codec_bench.c %D%/pairs.c %D%/pairs.h %D%/speed.c %D%/speed.h
%C%_codec_bench_LDADD = $(DELTAFS_LIBS)
noinst_PROGRAMS += %D%/lossy_bench
%C%_lossy_bench_SOURCES = %D%/lossy_bench.c %D%/speed.c %D%/speed.h $(CODEC_DRIVEN)
%C%_lossy_bench_LDADD = $(DELTAFS_LIBS)

if FUSE
noinst_PROGRAMS += %D%/memserver
%C%_memserver_SOURCES = %D%/memserver.c
%C%_memserver_CPPFLAGS = $(AM_CPPFLAGS) $(FUSE_CFLAGS)
%C%_memserver_LDADD = $(FUSE_LIBS)
endif
