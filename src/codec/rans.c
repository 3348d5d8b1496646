/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/rans.h"

bool dfs_rans_open(struct dfs_rans_reader *r, struct dfs_span payload, size_t n)
{
	r->lanes = dfs_lanes(n);
	if (payload.len < 4u * r->lanes || (payload.len & 1))
		return false;
	for (unsigned i = 0; i < r->lanes; i++) {
		r->x[i] = dfs_get_u32le(payload.data + 4 * i);
		if (r->x[i] < DFS_LANE_START)
			return false;
	}
	r->next = payload.data + 4 * r->lanes;
	r->end = payload.data + payload.len;
	return true;
}

bool dfs_rans_done(const struct dfs_rans_reader *r)
{
	if (r->next != r->end)
		return false;
	for (unsigned i = 0; i < r->lanes; i++)
		if (r->x[i] != DFS_LANE_START)
			return false;
	return true;
}

/*
 * With s = ceil(log2 f) and m = ceil(2^(32+s) / f), x * m / 2^(32+s) has the
 * floor of x / f for every x < 2^32, since m * f - 2^(32+s) < f <= 2^s.
 * m needs 33 bits; its top one is always set and left out.
 */
void dfs_rans_symbols(const struct dfs_freq *freq, struct dfs_rans_symbol *ret_symbols)
{
	unsigned begin = 0;

	for (unsigned s = 0; s < freq->n; s++) {
		unsigned f = freq->of[s];
		unsigned shift = f > 1 ? 32 - __builtin_clz(f - 1) : 0;
		uint64_t m = f ? ((1ull << (32 + shift)) + f - 1) / f : 0;

		ret_symbols[s] = (struct dfs_rans_symbol){
			.rcp = m, .freq = f, .begin = begin, .shift = shift,
		};
		begin += f;
	}
}

void dfs_rans_begin(struct dfs_rans_writer *w, size_t n, uint8_t *room, size_t len)
{
	w->lanes = dfs_lanes(n);
	w->next = w->end = room + len;
	for (unsigned i = 0; i < w->lanes; i++)
		w->x[i] = DFS_LANE_START;
}

size_t dfs_rans_len(const struct dfs_rans_writer *w)
{
	return 4 * w->lanes + (w->end - w->next);
}

size_t dfs_rans_finish(const struct dfs_rans_writer *w, uint8_t *out)
{
	for (unsigned i = 0; i < w->lanes; i++)
		dfs_put_u32le(out + 4 * i, w->x[i]);
	memcpy(out + 4 * w->lanes, w->next, w->end - w->next);
	return dfs_rans_len(w);
}
