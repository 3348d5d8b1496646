/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_split: every kernel that takes values apart gives the difference and
 * the cell that the format's words define, here computed one at a time.
 */
#include "../check.h"
#include "codec/diff.h"
#include "samples.h"

#define MOST 200

static const struct dfs_shape shapes[] = {
	{ .dtype = DFS_BF16 },
	{ .dtype = DFS_BF16, .drop = 2 },
	{ .dtype = DFS_F16 },
	{ .dtype = DFS_F16, .drop = 3 },
	{ .dtype = DFS_F32 },
	{ .dtype = DFS_F32, .drop = 16 },
	{ .dtype = DFS_F8_E4M3 },
	{ .dtype = DFS_F8_E5M2 },
	{ .dtype = DFS_F64 },
	{ .dtype = DFS_U8 },
	{ .dtype = DFS_I16 },
	{ .dtype = DFS_I32 },
	{ .dtype = DFS_I64 },
};
#define N_SHAPES (sizeof(shapes) / sizeof(*shapes))

/* Where a value of @width bits stands among all: floats by sign and size, integers as they are. */
static __int128 place(const struct dfs_layout *l, uint64_t y)
{
	uint64_t top = 1ull << (l->width - 1);

	if (!l->exponent || !(y & top))
		return y;
	return -(__int128)(y - top) - 1;
}

static uint64_t difference(const struct dfs_layout *l, uint64_t x, uint64_t q)
{
	__int128 all = (__int128)1 << l->width;
	__int128 d = place(l, x >> l->drop) - place(l, q >> l->drop);

	while (d >= all / 2)
		d -= all;
	while (d < -all / 2)
		d += all;
	return d < 0 ? -2 * d - 1 : 2 * d;
}

/* Sixteen numbers have tokens of their own; from there on each half of an octave has one. */
static unsigned token(uint64_t u)
{
	unsigned t = 16;

	if (u < 16)
		return u;
	for (unsigned octave = 4; octave < 64; octave++)
		for (unsigned half = 0; half < 2; half++, t++)
			if (u >> octave == 1 && (u >> (octave - 1) & 1) == half)
				return t;
	return 0;
}

static unsigned cell(const struct dfs_layout *l, uint64_t q, uint64_t u)
{
	int exponent = l->exponent ? q >> l->drop >> l->shift & ((1u << l->exponent) - 1) : 0;
	int bin = exponent - (int)dfs_bin_low(l);

	bin = bin < 0 ? 0 : bin >= DFS_BINS ? DFS_BINS - 1 : bin;
	return bin * (2 * l->width + 8) + token(u);
}

/* Any value; one near the prediction; one a power of two away, or one less or more. */
static uint64_t value_by(const struct dfs_layout *l, uint64_t q, uint64_t *seed)
{
	uint64_t v = random_next(seed) >> (64 - l->width);
	unsigned way = random_next(seed) % 4;

	if (way == 0)
		return v << l->drop;
	if (way == 1)
		v = (q >> l->drop) + random_next(seed) % 64 - 32;
	else
		v = (q >> l->drop) + (1ull << random_next(seed) % l->width) + random_next(seed) % 3 - 1;
	return (v & l->mask) << l->drop;
}

static void kernels_agree(const struct dfs_layout *l, size_t n, uint64_t seed)
{
	uint8_t pred[8 * MOST], data[8 * MOST];
	uint16_t cells[MOST + DFS_SPLIT_PAD];
	uint64_t u64[MOST + DFS_SPLIT_PAD];
	uint32_t u32[MOST + DFS_SPLIT_PAD];
	struct dfs_split split = { .cell = cells, .u32 = u32, .u64 = u64 };

	for (size_t i = 0; i < n; i++) {
		uint64_t q = random_next(&seed) >> (64 - l->width) << l->drop;

		dfs_value_store(pred, i, l->size, q);
		dfs_value_store(data, i, l->size, value_by(l, q, &seed));
	}
	for (unsigned cpu = 0; cpu <= dfs_cpu_best(); cpu++) {
		dfs_diff_split_kernel(cpu, l)(l, pred, data, n, &split);
		for (size_t i = 0; i < n; i++) {
			uint64_t q = dfs_value_load(pred, i, l->size);
			uint64_t u = difference(l, dfs_value_load(data, i, l->size), q);

			CHECK((l->size == 8 ? u64[i] : u32[i]) == u);
			CHECK(cells[i] == cell(l, q, u));
		}
	}
}

static void all_lengths_and_dtypes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N_SHAPES; i++) {
		struct dfs_layout l;

		CHECK(dfs_layout_init(&l, shapes[i]));
		for (size_t n = 0; n <= MOST; n++)
			kernels_agree(&l, n, 1000 * i + n);
	}
}

/* All differences that 16 bits have, each token's first and last among them. */
static void all_differences(void **state)
{
	struct dfs_layout l;

	(void)state;
	CHECK(dfs_layout_init(&l, shapes[0]));
	for (uint32_t x = 0; x < 1u << 16; x += 16) {
		uint8_t pred[2 * 16], data[2 * 16];
		uint16_t cells[16 + DFS_SPLIT_PAD];
		uint32_t folded[16 + DFS_SPLIT_PAD];
		struct dfs_split split = { .cell = cells, .u32 = folded };

		for (unsigned i = 0; i < 16; i++) {
			dfs_value_store(pred, i, 2, 0x3c12);
			dfs_value_store(data, i, 2, x + i);
		}
		for (unsigned cpu = 0; cpu <= dfs_cpu_best(); cpu++) {
			dfs_diff_split_kernel(cpu, &l)(&l, pred, data, 16, &split);
			for (unsigned i = 0; i < 16; i++) {
				CHECK(folded[i] == difference(&l, x + i, 0x3c12));
				CHECK(cells[i] == cell(&l, 0x3c12, folded[i]));
			}
		}
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(all_lengths_and_dtypes),
	cmocka_unit_test(all_differences),
};

CHECK_MAIN(cases)
