/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * solo_lanes: the entropy coded part of solo, read and written.
 */
#include "codec/solo.h"

DFS_INLINE void read_row(struct dfs_rans_reader *r, const struct dfs_solo_table *t,
			 uint8_t *symbols, unsigned n)
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

static size_t read_rows(struct dfs_rans_reader *r, const struct dfs_solo_table *t,
			uint8_t *symbols, size_t n)
{
	size_t at = 0;

	if (r->lanes == DFS_LANES)
		for (; n - at >= DFS_LANES && r->next <= r->end; at += DFS_LANES)
			read_row(r, t, symbols + at, DFS_LANES);
	else
		for (; n - at >= r->lanes && r->next <= r->end; at += r->lanes)
			read_row(r, t, symbols + at, DFS_LANES_SMALL);
	return at;
}

#if defined(__x86_64__)
#define AVX2(kernel) kernel
#define AVX512(kernel) kernel
#else
#define AVX2(kernel) read_rows
#define AVX512(kernel) read_rows
#endif

static size_t (*const readers[DFS_CPU_LEVELS])(struct dfs_rans_reader *r,
					       const struct dfs_solo_table *t, uint8_t *symbols,
					       size_t n) = {
	read_rows, AVX2(dfs_solo_read_avx2), AVX512(dfs_solo_read_avx512),
};

bool dfs_solo_read(struct dfs_rans_reader *r, const struct dfs_solo_table *t, uint8_t *symbols,
		   size_t n, enum dfs_cpu cpu)
{
	size_t at = readers[r->lanes == DFS_LANES ? cpu : DFS_CPU_PORTABLE](r, t, symbols, n);

	if (n - at >= r->lanes || r->next > r->end)
		return false;
	read_row(r, t, symbols + at, n - at);
	return dfs_rans_done(r);
}

static bool put(struct dfs_rans_writer *w, const struct dfs_solo_table *t, const uint8_t *symbols,
		size_t n)
{
	uint8_t *next = w->next;
	bool known = true;

	for (size_t i = n; i--;) {
		const struct dfs_rans_symbol *s = &t->symbols[symbols[i]];
		uint32_t *x = &w->x[i % w->lanes];

		known &= dfs_rans_known(s->rest, DFS_SOLO_LOG);
		*x = dfs_rans_put(*x, s, DFS_SOLO_LOG, &next);
	}
	w->next = next;
	return known;
}

bool dfs_solo_put(struct dfs_rans_writer *w, const struct dfs_solo_table *t,
		  const uint8_t *symbols, size_t n, enum dfs_cpu cpu)
{
	size_t whole = n / DFS_LANES * DFS_LANES;

	if (cpu != DFS_CPU_AVX512 || w->lanes != DFS_LANES)
		return put(w, t, symbols, n);
#if defined(__x86_64__)
	/* what does not fill a row of lanes is written first */
	return put(w, t, symbols + whole, n - whole) && dfs_solo_put_avx512(w, t, symbols, whole);
#else
	(void)whole;
	return false;
#endif
}
