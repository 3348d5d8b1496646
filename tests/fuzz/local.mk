# SPDX-License-Identifier: GPL-2.0-or-later
# One program per reader of untrusted bytes. Configured with --enable-fuzz they
# are libFuzzer programs; else each replays its corpus and some noise in `make check`.

fuzz_targets = %D%/fuzz_header %D%/fuzz_container %D%/fuzz_pending %D%/fuzz_policy %D%/fuzz_roundtrip \
	%D%/fuzz_decode_copy %D%/fuzz_decode_stored %D%/fuzz_decode_zstd \
	%D%/fuzz_decode_diff %D%/fuzz_decode_sparse %D%/fuzz_decode_solo \
	%D%/fuzz_decode_bitdelta %D%/fuzz_decode_delta_come %D%/fuzz_decode_delta_dct %D%/fuzz_decode_ultradelta

if FUZZ
EXTRA_PROGRAMS += $(fuzz_targets)
fuzz_driver =
fuzz: $(fuzz_targets)
.PHONY: fuzz
else
check_PROGRAMS += $(fuzz_targets)
fuzz_driver = %D%/replay.c
endif

fuzz_cppflags = $(AM_CPPFLAGS) -DFUZZ_DIR='"$(abs_top_srcdir)/tests/fuzz"'
fuzz_ldflags = $(AM_LDFLAGS) $(DFS_FUZZ_LDFLAGS)

%C%_fuzz_header_SOURCES = %D%/fuzz_header.c $(fuzz_driver)
%C%_fuzz_header_CPPFLAGS = $(fuzz_cppflags)
%C%_fuzz_header_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_header_LDADD = $(DELTAFS_LIBS)

%C%_fuzz_container_SOURCES = %D%/fuzz_container.c $(fuzz_driver)
%C%_fuzz_container_CPPFLAGS = $(fuzz_cppflags)
%C%_fuzz_container_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_container_LDADD = $(DELTAFS_LIBS)

%C%_fuzz_pending_SOURCES = %D%/fuzz_pending.c $(fuzz_driver)
%C%_fuzz_pending_CPPFLAGS = $(fuzz_cppflags)
%C%_fuzz_pending_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_pending_LDADD = $(DELTAFS_LIBS)

%C%_fuzz_policy_SOURCES = %D%/fuzz_policy.c $(fuzz_driver)
%C%_fuzz_policy_CPPFLAGS = $(fuzz_cppflags)
%C%_fuzz_policy_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_policy_LDADD = $(DELTAFS_LIBS)

%C%_fuzz_roundtrip_SOURCES = %D%/fuzz_roundtrip.c $(fuzz_driver)
%C%_fuzz_roundtrip_CPPFLAGS = $(fuzz_cppflags)
%C%_fuzz_roundtrip_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_roundtrip_LDADD = $(DELTAFS_LIBS)

%C%_fuzz_decode_copy_SOURCES = %D%/fuzz_decode.c $(fuzz_driver)
%C%_fuzz_decode_copy_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_CODEC=DFS_CODEC_COPY
%C%_fuzz_decode_copy_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_decode_copy_LDADD = $(DELTAFS_LIBS)

%C%_fuzz_decode_stored_SOURCES = %D%/fuzz_decode.c $(fuzz_driver)
%C%_fuzz_decode_stored_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_CODEC=DFS_CODEC_STORED
%C%_fuzz_decode_stored_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_decode_stored_LDADD = $(DELTAFS_LIBS)

%C%_fuzz_decode_zstd_SOURCES = %D%/fuzz_decode.c $(fuzz_driver)
%C%_fuzz_decode_zstd_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_CODEC=DFS_CODEC_ZSTD
%C%_fuzz_decode_zstd_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_decode_zstd_LDADD = $(DELTAFS_LIBS)

%C%_fuzz_decode_diff_SOURCES = %D%/fuzz_decode.c $(fuzz_driver)
%C%_fuzz_decode_diff_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_CODEC=DFS_CODEC_DIFF
%C%_fuzz_decode_diff_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_decode_diff_LDADD = $(DELTAFS_LIBS)

%C%_fuzz_decode_sparse_SOURCES = %D%/fuzz_decode.c $(fuzz_driver)
%C%_fuzz_decode_sparse_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_CODEC=DFS_CODEC_SPARSE
%C%_fuzz_decode_sparse_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_decode_sparse_LDADD = $(DELTAFS_LIBS)

%C%_fuzz_decode_solo_SOURCES = %D%/fuzz_decode.c $(fuzz_driver)
%C%_fuzz_decode_solo_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_CODEC=DFS_CODEC_SOLO
%C%_fuzz_decode_solo_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_decode_solo_LDADD = $(DELTAFS_LIBS)

%C%_fuzz_decode_bitdelta_SOURCES = %D%/fuzz_decode.c $(fuzz_driver)
%C%_fuzz_decode_bitdelta_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_CODEC=DFS_CODEC_BITDELTA
%C%_fuzz_decode_bitdelta_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_decode_bitdelta_LDADD = $(DELTAFS_LIBS)
%C%_fuzz_decode_delta_come_SOURCES = %D%/fuzz_decode.c $(fuzz_driver)
%C%_fuzz_decode_delta_come_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_CODEC=DFS_CODEC_DELTA_COME
%C%_fuzz_decode_delta_come_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_decode_delta_come_LDADD = $(DELTAFS_LIBS)
%C%_fuzz_decode_delta_dct_SOURCES = %D%/fuzz_decode.c $(fuzz_driver)
%C%_fuzz_decode_delta_dct_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_CODEC=DFS_CODEC_DELTA_DCT
%C%_fuzz_decode_delta_dct_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_decode_delta_dct_LDADD = $(DELTAFS_LIBS)
%C%_fuzz_decode_ultradelta_SOURCES = %D%/fuzz_decode.c $(fuzz_driver)
%C%_fuzz_decode_ultradelta_CPPFLAGS = $(fuzz_cppflags) -DFUZZ_CODEC=DFS_CODEC_ULTRADELTA
%C%_fuzz_decode_ultradelta_LDFLAGS = $(fuzz_ldflags)
%C%_fuzz_decode_ultradelta_LDADD = $(DELTAFS_LIBS)
