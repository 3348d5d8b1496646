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
 * Division by f <= 2^L of an x < f * 2^(32-L).
 *
 * Let N = 32 + L, m = ceil(2^N / f) and so m * f = 2^N + e with 0 <= e < f.
 * x * m / 2^N is x / f and x * e / 2^N / f more; as x * e < f * f * 2^(32-L) <=
 * 2^N, that is less than 1 / f more, so floor() is the same. And x / f <
 * 2^(32-L), so x * m < 2^64.
 *
 * With m of 32 bits, and f < 2^L: let s = ceil(log2 f), N = 31 + s
 * and r = 2^N mod f.
 *	m = (2^N + f - r) / f rounds up:   x * m / 2^N is right if (f - r) * x < 2^N
 *	m = (2^N - r) / f rounds down: (x + 1) * m / 2^N is right if r * (x + 1) <= 2^N
 * One of r and f - r is at most f / 2, and f / 2 * f * 2^(32-L) <= 2^N, so one
 * of the two holds. m < 2^32 as f > 2^(s-1); a power of two has r = 0, where
 * rounding down without the one is exact. f = 1 would need a shift of -1: there
 * (x + 1) * (2^32 - 1) / 2^32 is x.
 */
static struct dfs_rans_symbol symbol_of(unsigned f, unsigned begin, unsigned log)
{
	unsigned s = f > 1 ? 32 - __builtin_clz(f - 1) : 0;
	uint64_t power = 1ull << (31 + s);
	uint64_t r = f ? power % f : 0;
	uint64_t m = f ? power / f : 0;
	bool up = r && f - r <= r;
	bool inc = r && !up;

	if (f == 1) {
		m = UINT32_MAX;
		inc = true;
		s = 1;
	}
	return (struct dfs_rans_symbol){
		.inverse = f ? ((1ull << (32 + log)) + f - 1) / f : 0,
		.rcp = m + up,
		.rest = ((1u << log) - f) | (uint32_t)begin << DFS_SYMBOL_BEGIN_AT |
			(uint32_t)(f ? s - 1 : 0) << DFS_SYMBOL_SHIFT_AT |
			(uint32_t)inc << DFS_SYMBOL_INC_AT,
	};
}

void dfs_rans_symbols(const struct dfs_freq *freq, struct dfs_rans_symbol *ret_symbols)
{
	unsigned begin = 0;

	for (unsigned s = 0; s < freq->n; s++) {
		/* an unused symbol has no place; the last slot's number still fits */
		ret_symbols[s] = symbol_of(freq->of[s], freq->of[s] ? begin : 0, freq->log);
		begin += freq->of[s];
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
