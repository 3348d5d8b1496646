/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * solo: private to the files of this codec; see solo.c for what it is.
 */
#ifndef DFS_CODEC_SOLO_H
#define DFS_CODEC_SOLO_H

#include "codec/rans.h"

#define DFS_SOLO_LOG 12
#define DFS_SOLO_FREQ_AT 8
#define DFS_SOLO_BIAS_AT 20

struct dfs_solo_table {
	struct dfs_table head;
	struct dfs_layout layout;
	/* bits 0-7 symbol, 8-19 frequency - 1, 20-31 slot - first slot of the symbol */
	uint32_t entries[1 << DFS_SOLO_LOG] __attribute__((aligned(64)));
	struct dfs_rans_symbol symbols[DFS_SYMBOLS_MAX];
};

/* dfs_solo_bits() - estimated payload bits of what a record counted */
uint64_t dfs_solo_bits(struct dfs_shape shape, const void *record);

/* dfs_solo_symbols() - @n symbols from the lanes; false if the payload is malformed */
bool dfs_solo_symbols(struct dfs_rans_reader *r, const struct dfs_solo_table *t, uint8_t *symbols,
		      size_t n, enum dfs_cpu cpu);

#endif
