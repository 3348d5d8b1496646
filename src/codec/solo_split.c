/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * solo_split: values as symbols and what is below them, and back.
 *
 * Values of whole floats are taken in runs that lie in arrays of their own, so
 * that the compiler knows sizes and overlaps and may use vectors.
 */
#include "codec/bits.h"
#include "codec/solo.h"

#define RUN 32

size_t dfs_solo_rest_len(const struct dfs_layout *l, size_t n)
{
	unsigned bits = dfs_solo_rest_bits(l);

	return n * (bits / 8) + (n * (bits % 8) + 7) / 8;
}

DFS_INLINE uint8_t symbol_of(uint64_t y, unsigned rest)
{
	return rest ? y >> (rest - 1) : y;
}

/* The rest: the sign, then what is below the symbol. */
DFS_INLINE uint64_t rest_of(uint64_t y, unsigned rest)
{
	uint64_t low = (1ull << (rest - 1)) - 1;

	return (y >> (rest + 7)) << (rest - 1) | (y & low);
}

DFS_INLINE uint64_t joined(uint64_t symbol, uint64_t r, unsigned rest)
{
	uint64_t low = (1ull << (rest - 1)) - 1;

	return (r >> (rest - 1)) << (rest + 7) | symbol << (rest - 1) | (r & low);
}

/* --- taking */

DFS_INLINE void take(const uint8_t *data, size_t n, uint8_t *symbols, unsigned size,
		     unsigned drop, unsigned rest)
{
	size_t i = 0;

	for (; n - i >= RUN; i += RUN) {
		uint8_t in[8 * RUN], out[RUN];

		memcpy(in, data + i * size, RUN * size);
		for (unsigned j = 0; j < RUN; j++)
			out[j] = symbol_of(dfs_value_load(in, j, size) >> drop, rest);
		memcpy(symbols + i, out, RUN);
	}
	for (; i < n; i++)
		symbols[i] = symbol_of(dfs_value_load(data, i, size) >> drop, rest);
}

void dfs_solo_take(const struct dfs_layout *l, const uint8_t *data, size_t n, uint8_t *symbols)
{
	unsigned rest = dfs_solo_rest_bits(l);

	if (l->size == 1)
		take(data, n, symbols, 1, l->drop, rest);
	else if (l->size == 2 && !l->drop)
		take(data, n, symbols, 2, 0, 8);
	else if (l->size == 4 && !l->drop)
		take(data, n, symbols, 4, 0, 24);
	else
		take(data, n, symbols, l->size, l->drop, rest);
}

/* --- the rest, out and back, of whole floats: size - 1 planes */

DFS_INLINE void put_planes(const uint8_t *data, size_t n, uint8_t *planes, unsigned size)
{
	size_t i = 0;

	for (; n - i >= RUN; i += RUN) {
		uint8_t in[8 * RUN], out[8 * RUN];

		memcpy(in, data + i * size, RUN * size);
		for (unsigned p = 0; p + 1 < size; p++) {
			for (unsigned j = 0; j < RUN; j++)
				out[j] = rest_of(dfs_value_load(in, j, size), 8 * size - 8) >> 8 * p;
			memcpy(planes + p * n + i, out, RUN);
		}
	}
	for (; i < n; i++)
		for (unsigned p = 0; p + 1 < size; p++)
			planes[p * n + i] =
				rest_of(dfs_value_load(data, i, size), 8 * size - 8) >> 8 * p;
}

DFS_INLINE uint64_t from_planes(const uint8_t *planes, size_t stride, size_t i, unsigned size)
{
	uint64_t r = 0;

	for (unsigned p = 0; p + 1 < size; p++)
		r |= (uint64_t)planes[p * stride + i] << 8 * p;
	return r;
}

DFS_INLINE void join_planes(const uint8_t *symbols, const uint8_t *planes, size_t n, uint8_t *out,
			    unsigned size)
{
	unsigned rest = 8 * size - 8;
	size_t i = 0;

	for (; n - i >= RUN; i += RUN) {
		uint8_t high[RUN], low[8 * RUN], values[8 * RUN];

		memcpy(high, symbols + i, RUN);
		for (unsigned p = 0; p + 1 < size; p++)
			memcpy(low + p * RUN, planes + p * n + i, RUN);
		for (unsigned j = 0; j < RUN; j++) {
			uint64_t r = from_planes(low, RUN, j, size);

			dfs_value_store(values, j, size, joined(high[j], r, rest));
		}
		memcpy(out + i * size, values, RUN * size);
	}
	for (; i < n; i++)
		dfs_value_store(out, i, size,
				joined(symbols[i], from_planes(planes, n, i, size), rest));
}

/* --- of any width: planes, then packed bits */

static void put_any(const struct dfs_layout *l, const uint8_t *data, size_t n, uint8_t *out)
{
	unsigned rest = dfs_solo_rest_bits(l), planes = rest / 8;
	struct dfs_bit_writer w = { .out = out + n * planes };

	for (size_t i = 0; rest && i < n; i++) {
		uint64_t bits = rest_of(dfs_value_load(data, i, l->size) >> l->drop, rest);

		for (unsigned p = 0; p < planes; p++)
			out[p * n + i] = bits >> 8 * p;
		dfs_bits_put(&w, rest % 8 ? bits >> 8 * planes : 0, rest % 8);
	}
	dfs_bits_end(&w);
}

static void join_any(const struct dfs_layout *l, const uint8_t *symbols, const uint8_t *rest,
		     size_t n, uint8_t *out)
{
	unsigned bits = dfs_solo_rest_bits(l), planes = bits / 8, part = bits % 8;
	struct dfs_bit_reader r = dfs_bits_open(rest + n * planes, (n * part + 7) / 8);

	for (size_t i = 0; i < n; i++) {
		uint64_t low = from_planes(rest, n, i, planes + 1), y = symbols[i];

		if (part)
			low |= dfs_bits_get(&r, part) << 8 * planes;
		if (bits)
			y = joined(y, low, bits);
		dfs_value_store(out, i, l->size, y << l->drop);
	}
}

static bool is_whole(const struct dfs_layout *l, unsigned size)
{
	return l->size == size && !l->drop;
}

void dfs_solo_put_rest(const struct dfs_layout *l, const uint8_t *data, size_t n, uint8_t *rest)
{
	if (is_whole(l, 2))
		put_planes(data, n, rest, 2);
	else if (is_whole(l, 4))
		put_planes(data, n, rest, 4);
	else
		put_any(l, data, n, rest);
}

void dfs_solo_join(const struct dfs_layout *l, const uint8_t *symbols, const uint8_t *rest,
		   size_t n, uint8_t *out)
{
	if (is_whole(l, 2))
		join_planes(symbols, rest, n, out, 2);
	else if (is_whole(l, 4))
		join_planes(symbols, rest, n, out, 4);
	else
		join_any(l, symbols, rest, n, out);
}
