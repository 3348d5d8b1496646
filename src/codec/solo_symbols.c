/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * solo_symbols: the entropy coded part of solo, read back.
 */
#include "codec/solo.h"

DFS_INLINE void run(struct dfs_rans_reader *r, const struct dfs_solo_table *t, uint8_t *symbols,
		    unsigned n)
{
	const uint8_t *next = r->next;

	for (unsigned lane = 0; lane < n; lane++) {
		uint32_t x = r->x[lane];
		uint32_t e = t->entries[x & ((1u << DFS_SOLO_LOG) - 1)];
		uint32_t freq = (e >> DFS_SOLO_FREQ_AT & 0xfff) + 1;

		symbols[lane] = e;
		r->x[lane] = dfs_rans_refill(freq * (x >> DFS_SOLO_LOG) + (e >> DFS_SOLO_BIAS_AT),
					     &next);
	}
	r->next = next;
}

bool dfs_solo_symbols(struct dfs_rans_reader *r, const struct dfs_solo_table *t, uint8_t *symbols,
		      size_t n, enum dfs_cpu cpu)
{
	size_t at = 0;

	(void)cpu;
	for (; n - at >= r->lanes && r->next <= r->end; at += r->lanes)
		run(r, t, symbols + at, r->lanes);
	if (n - at >= r->lanes || r->next > r->end)
		return false;
	run(r, t, symbols + at, n - at);
	return dfs_rans_done(r);
}
