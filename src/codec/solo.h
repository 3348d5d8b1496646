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

/* dfs_solo_read() - @n symbols from the lanes; false if the payload is malformed */
bool dfs_solo_read(struct dfs_rans_reader *r, const struct dfs_solo_table *t, uint8_t *symbols,
		   size_t n, enum dfs_cpu cpu);

/* dfs_solo_put() - @n symbols to the lanes; false if one was never counted */
bool dfs_solo_put(struct dfs_rans_writer *w, const struct dfs_solo_table *t,
		  const uint8_t *symbols, size_t n, enum dfs_cpu cpu);

/* Kernels for whole rows of DFS_LANES; reading ends early when words run out. Return: symbols done. */
size_t dfs_solo_read_avx2(struct dfs_rans_reader *r, const struct dfs_solo_table *t,
			  uint8_t *symbols, size_t n);
size_t dfs_solo_read_avx512(struct dfs_rans_reader *r, const struct dfs_solo_table *t,
			    uint8_t *symbols, size_t n);
bool dfs_solo_put_avx512(struct dfs_rans_writer *w, const struct dfs_solo_table *t,
			 const uint8_t *symbols, size_t n);

/* --- values as symbols and what is below them (solo_split.c) */

/* dfs_solo_rest_bits() - bits of a value that are not in its symbol */
DFS_INLINE unsigned dfs_solo_rest_bits(const struct dfs_layout *l)
{
	return l->width > 8 ? l->width - 8 : 0;
}

/* dfs_solo_rest_len() - bytes of the rests of @n values */
size_t dfs_solo_rest_len(const struct dfs_layout *l, size_t n);

void dfs_solo_take(const struct dfs_layout *l, const uint8_t *data, size_t n, uint8_t *symbols);
void dfs_solo_put_rest(const struct dfs_layout *l, const uint8_t *data, size_t n, uint8_t *rest);
void dfs_solo_join(const struct dfs_layout *l, const uint8_t *symbols, const uint8_t *rest,
		   size_t n, uint8_t *out);

#endif
