/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bits: numbers of any width one after the other, the lowest bit first.
 *
 * deltafs-format(5), "bit streams". The first bit is the lowest of the first
 * byte. What is left of the last byte is zero, and that is checked.
 */
#ifndef DFS_CODEC_BITS_H
#define DFS_CODEC_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/bytes.h"

/* Writing: the caller gives room for all that will come. */
struct dfs_bit_writer {
	uint8_t *out;
	size_t len;		/* whole bytes written */
	uint64_t pending;	/* bits that fill no byte yet */
	unsigned n_pending;	/* < 8 between calls */
};

static inline void dfs_bits_put(struct dfs_bit_writer *w, uint64_t v, unsigned n)
{
	while (n > 32) {
		dfs_bits_put(w, v & 0xffffffff, 32);
		v >>= 32;
		n -= 32;
	}
	w->pending |= (n ? v & (UINT64_MAX >> (64 - n)) : 0) << w->n_pending;
	w->n_pending += n;
	while (w->n_pending >= 8) {
		w->out[w->len++] = w->pending;
		w->pending >>= 8;
		w->n_pending -= 8;
	}
}

/* dfs_bits_end() - fill the last byte with zeros. Return: bytes written. */
static inline size_t dfs_bits_end(struct dfs_bit_writer *w)
{
	if (w->n_pending)
		w->out[w->len++] = w->pending;
	w->pending = w->n_pending = 0;
	return w->len;
}

/* Exp-Golomb of order @k: with w = v + 2^k of b bits: b - 1 - k zeros, a one, the b - 1 low bits of w. */
static inline unsigned dfs_golomb_bits(uint64_t v, unsigned k)
{
	return 2 * (63 - __builtin_clzll(v + (1ull << k))) + 1 - k;
}

static inline void dfs_golomb_put(struct dfs_bit_writer *w, uint64_t v, unsigned k)
{
	uint64_t sum = v + (1ull << k);
	unsigned low = 63 - __builtin_clzll(sum);

	dfs_bits_put(w, 0, low - k);
	dfs_bits_put(w, 1, 1);
	dfs_bits_put(w, sum & ~(1ull << low), low);
}

/* Reading: past the end come zeros, and @overrun stays set. */
struct dfs_bit_reader {
	const uint8_t *data;
	size_t n_bits;
	size_t at;	/* bits read */
	bool overrun;
};

static inline struct dfs_bit_reader dfs_bits_open(const uint8_t *data, size_t len)
{
	return (struct dfs_bit_reader){ .data = data, .n_bits = 8 * len };
}

static inline uint64_t dfs_bits_get(struct dfs_bit_reader *r, unsigned n)
{
	uint64_t v = 0;
	unsigned got = 0;

	if (n > r->n_bits - r->at) {
		r->overrun = true;
		r->at = r->n_bits;
		return 0;
	}
	while (got < n) {
		unsigned skip = r->at & 7;
		unsigned take = n - got < 8 - skip ? n - got : 8 - skip;
		uint64_t byte = r->data[r->at >> 3] >> skip & ((1u << take) - 1);

		v |= byte << got;
		got += take;
		r->at += take;
	}
	return v;
}

/* dfs_golomb_get() - at most @max, else overrun */
static inline uint64_t dfs_golomb_get(struct dfs_bit_reader *r, unsigned k, uint64_t max)
{
	unsigned zeros = 0;
	uint64_t v;

	while (!r->overrun && zeros + k < 63 && !dfs_bits_get(r, 1))
		zeros++;
	if (zeros + k >= 63)
		r->overrun = true;
	if (r->overrun)
		return 0;
	v = (dfs_bits_get(r, zeros + k) | 1ull << (zeros + k)) - (1ull << k);
	if (v > max) {
		r->overrun = true;
		return 0;
	}
	return v;
}

/* dfs_bits_done() - all bytes read, the rest of the last one zero, never past the end */
static inline bool dfs_bits_done(struct dfs_bit_reader *r)
{
	return !r->overrun && r->n_bits - r->at < 8 && dfs_bits_get(r, r->n_bits - r->at) == 0;
}

#endif
