/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ultradelta_places: where the kept differences are.
 *
 * Seeded: a chunk is cut into as many strata as it keeps differences, each of
 * which keeps one, at a place that its random word tells. All of it is turned
 * by a random number of values, the same for the chunk, so that every place is
 * kept with the same probability however widths come out.
 *
 * Stored: the gaps between them, in a Rice code.
 *
 * deltafs-format(5), "ultradelta places".
 */
#include <errno.h>

#include "codec/ultradelta.h"

/* Products with up to 2^48 values, in two halves. */
uint64_t dfs_ultra_kept(const struct dfs_ultra_table *t, uint64_t values)
{
	return (values >> 32) * t->keep + ((values & UINT32_MAX) * t->keep >> 32);
}

static uint64_t turn_of(enum dfs_cpu cpu, const struct dfs_ultra_table *t, uint64_t first, size_t n)
{
	struct dfs_philox stream = { t->key, { t->number, DFS_ULTRA_TURN } };
	uint32_t word;

	dfs_philox_words(cpu, &stream, first, 1, &word);
	return (uint64_t)word * n >> 32;
}

void dfs_ultra_places(enum dfs_cpu cpu, const struct dfs_ultra_table *t, uint64_t first, size_t n, size_t kept,
		      uint32_t *places)
{
	struct dfs_philox stream = { t->key, { t->number, DFS_ULTRA_STRATA } };
	uint64_t number = dfs_ultra_kept(t, first);
	uint32_t words[DFS_ULTRA_BLOCK];
	size_t wide, more, error = 0;
	uint64_t low;

	if (!kept)
		return;
	/* stratum i begins at i * n / kept: by a step, and one more whenever the fractions add up to it */
	wide = n / kept;
	more = n % kept;
	low = turn_of(cpu, t, first, n);
	for (size_t at = 0; at < kept; at += DFS_ULTRA_BLOCK) {
		size_t now = kept - at < DFS_ULTRA_BLOCK ? kept - at : DFS_ULTRA_BLOCK;

		dfs_philox_words(cpu, &stream, number + at, now, words);
		for (size_t i = 0; i < now; i++) {
			bool carry = error + more >= kept;
			size_t width = wide + carry;
			uint64_t place = low + ((uint64_t)words[i] * width >> 32);

			places[at + i] = (uint32_t)(place < n ? place : place - n);
			error = error + more - (carry ? kept : 0);
			low += width;
		}
	}
}

/* --- stored */

/* Width of the number of places in a chunk of @n values. */
static unsigned count_bits(size_t n)
{
	return 64 - (unsigned)__builtin_clzll(n | 1);
}

#define ORDER_BITS 5
#define ORDER_MAX 24

static size_t gap_before(const uint32_t *places, size_t i)
{
	return i ? places[i] - places[i - 1] - 1 : places[0];
}

static unsigned best_order(const uint32_t *places, size_t kept)
{
	uint64_t least = UINT64_MAX;
	unsigned best = 0;

	for (unsigned order = 0; order <= ORDER_MAX; order++) {
		uint64_t bits = kept * (order + 1);

		for (size_t i = 0; i < kept && bits < least; i++)
			bits += gap_before(places, i) >> order;
		if (bits >= least)
			break;
		least = bits;
		best = order;
	}
	return best;
}

size_t dfs_ultra_places_put(const uint32_t *places, size_t kept, size_t n, uint8_t *payload)
{
	struct dfs_bit_writer w = { .out = payload };
	unsigned order = best_order(places, kept);

	dfs_bits_put(&w, kept, count_bits(n));
	dfs_bits_put(&w, order, ORDER_BITS);
	for (size_t i = 0; i < kept; i++) {
		size_t gap = gap_before(places, i), zeros = gap >> order;

		for (; zeros > 32; zeros -= 32)
			dfs_bits_put(&w, 0, 32);
		dfs_bits_put(&w, 1ull << zeros, (unsigned)zeros + 1);
		dfs_bits_put(&w, gap, order);
	}
	return dfs_bits_end(&w);
}

/* Bits from bit @at on: 57 of them at least. They may lie behind the payload, in what can be read there. */
static uint64_t bits_at(const uint8_t *data, size_t at)
{
	return dfs_get_u64le(data + at / 8) >> at % 8;
}

/* One gap from bit *@at on; false if it would not end within the payload's @len bits. */
static bool get_gap(const uint8_t *data, size_t len, unsigned order, size_t *at, uint64_t *ret_gap)
{
	uint64_t window = bits_at(data, *at), zeros = 0;

	while (!(window & (UINT64_MAX >> 8))) {
		zeros += 56;
		*at += 56;
		if (*at >= len)
			return false;
		window = bits_at(data, *at);
	}
	zeros += (unsigned)__builtin_ctzll(window);
	*at += (unsigned)__builtin_ctzll(window) + 1;
	if (*at + order > len)
		return false;
	*ret_gap = zeros << order | (bits_at(data, *at) & ((1u << order) - 1));
	*at += order;
	return true;
}

static int wrong(struct dfs_err *err)
{
	return dfs_fail(err, EUCLEAN, "ultradelta: places that are not in the chunk");
}

int dfs_ultra_places_get(struct dfs_span payload, size_t n, uint32_t *places, size_t *ret_kept, size_t *ret_len,
			 struct dfs_err *err)
{
	size_t len = 8 * payload.len, at = count_bits(n) + ORDER_BITS;
	uint64_t head = bits_at(payload.data, 0), kept, place = 0;
	unsigned order;

	if (at > len)
		return wrong(err);
	kept = head & ((1ull << count_bits(n)) - 1);
	order = head >> count_bits(n) & ((1u << ORDER_BITS) - 1);
	if (kept > n || order > ORDER_MAX)
		return wrong(err);
	for (size_t i = 0; i < kept; i++, place++) {
		uint64_t gap;

		if (!get_gap(payload.data, len, order, &at, &gap))
			return wrong(err);
		place += gap;
		if (place >= n)
			return wrong(err);
		places[i] = (uint32_t)place;
	}
	if (at % 8 && bits_at(payload.data, at) & (0xff >> at % 8))
		return wrong(err);
	*ret_kept = kept;
	*ret_len = (at + 7) / 8;
	return 0;
}
