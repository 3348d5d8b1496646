/* SPDX-License-Identifier: GPL-2.0-or-later */
/* add: every sum is the sum of real numbers, rounded once, by every kernel. */
#include <stdlib.h>

#include "../check.h"
#include "codec/add.h"
#include "samples.h"
#include "sums.h"

#define F32 (&sum_formats[2])
#define N 4099	/* several blocks, and a rest that fills no vector */
#define SKEW_MAX 7

static union {
	uint32_t bits[N];
	float values[N];
} delta;
static uint8_t pred[4 * N + SKEW_MAX], out[4 * N + SKEW_MAX];

/* Nothing but the values is written. */
static void check_frame(unsigned skew, size_t len)
{
	for (size_t i = 0; i < skew; i++)
		CHECK(out[i] == 0xa5);
	for (size_t i = skew + len; i < sizeof(out); i++)
		CHECK(out[i] == 0xa5);
}

/* The first @n sums, by every kernel, to another place and in place; both begin at an odd one. */
static void check_sums(const struct sum_format *f, size_t n, unsigned skew)
{
	size_t len = n * f->size;
	uint8_t want[4 * N];

	for (size_t i = 0; i < n; i++)
		sum_value_put(f, want, i, sum_expected(f, sum_value_at(f, pred + skew, i), delta.bits[i]));
	for (unsigned level = 0; level <= dfs_cpu_best(); level++) {
		memset(out, 0xa5, sizeof(out));
		dfs_add(level, f->dtype, pred + skew, delta.values, out + skew, n);
		for (size_t i = 0; i < n; i++)
			if (sum_value_at(f, out + skew, i) != sum_value_at(f, want, i))
				fail_msg("%s on %s: %x + %x gives %x, not %x", dfs_dtype_info(f->dtype)->name,
					 dfs_cpu_name(level), sum_value_at(f, pred + skew, i), delta.bits[i],
					 sum_value_at(f, out + skew, i), sum_value_at(f, want, i));
		check_frame(skew, len);
		memcpy(out + skew, pred + skew, len);
		dfs_add(level, f->dtype, out + skew, delta.values, out + skew, n);
		CHECK_BYTES(out + skew, want, len);
		check_frame(skew, len);
	}
	for (size_t i = 0; i < 20 && i < n; i++) {
		dfs_add_one(f->dtype, pred + skew, i, delta.values[i]);
		CHECK(sum_value_at(f, pred + skew, i) == sum_value_at(f, want, i));
	}
}

/* Zero, subnormals, powers of two and their neighbours, the largest; below 2^127 as dfs_add() wants them. */
static const uint32_t edges[] = {
	0, 1, 2, 3, 0x007fffff, 0x00800000, 0x00800001, 0x00ffffff, 0x33000000, 0x33000001, 0x33800000, 0x387fc000,
	0x387fe000, 0x38800000, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x3f801000, 0x3f803000, 0x3f808000, 0x3f808001,
	0x3f818000, 0x477fe000, 0x477fefff, 0x477ff000, 0x47800000, 0x7e7fffff, 0x7e800000, 0x7effffff,
};
#define N_EDGES (sizeof(edges) / sizeof(*edges))

static void edges_meet_edges(void **state)
{
	(void)state;
	for (unsigned which = 0; which < SUM_FORMATS; which++) {
		const struct sum_format *f = &sum_formats[which];
		size_t n = 0;

		for (unsigned i = 0; i < N_EDGES * N_EDGES * 4; i++) {
			uint32_t a = edges[i / 4 % N_EDGES], b = edges[i / 4 / N_EDGES];

			/* the edges of F32 as values of the format, which makes its largest numbers and infinity too */
			struct sum_wide w = sum_magnitude(F32, a);

			sum_value_put(f, pred, n, sum_nearest(f, &w) | (i & 1) << (8 * f->size - 1));
			delta.bits[n] = b | (i & 2) << 30;
			if (++n == N || i == N_EDGES * N_EDGES * 4 - 1) {
				check_sums(f, n, 0);
				n = 0;
			}
		}
	}
}

/* Every BF16 and every F16, infinities and NaNs too, with differences of about its own size, and around half its last place. */
static void every_short_value(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (unsigned which = 0; which < 2; which++) {
		const struct sum_format *f = &sum_formats[which];

		for (uint32_t first = 0; first < 1 << 16; first += N) {
			for (uint32_t i = 0; i < N; i++) {
				struct sum_wide w = sum_magnitude(f, (first + i) & 0x7fff);
				uint32_t bits = sum_is_finite(f, first + i) ? sum_nearest(F32, &w) : edges[i % N_EDGES];
				uint32_t random = (uint32_t)random_next(&seed), down = (random & 15) + f->mantissa - 7;

				/* a power of two so many places down, or its neighbours, or anything */
				bits = bits >> 23 > down ? (bits >> 23) - down : bits >> 23;
				bits = bits << 23 | (random & 0x10 ? random >> 9 : random >> 5 & 1);
				delta.bits[i] = (bits - (random >> 6 & 1 & (bits != 0))) | (random & 0x80) << 24;
				if ((delta.bits[i] & 0x7fffffff) >= 0x7f000000)
					delta.bits[i] -= 0x01000000;
				sum_value_put(f, pred + first / N % 8, i, (first + i) & 0xffff);
			}
			check_sums(f, N, first / N % 8);
		}
	}
}

/* Any pair, and pairs that are close. */
static void random_pairs(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		const struct sum_format *f = &sum_formats[round % SUM_FORMATS];
		unsigned skew = round % (SKEW_MAX + 1);

		for (size_t i = 0; i < N; i++) {
			uint32_t a = (uint32_t)random_next(&seed), b = (uint32_t)random_next(&seed);
			struct sum_wide w;

			if (f->size == 2)
				a &= 0xffff;
			w = sum_magnitude(f, a & (f->size == 2 ? 0x7fff : 0x7fffffff));
			if (round % 2 && sum_is_finite(f, a)) {
				uint32_t bits = sum_nearest(F32, &w), near = (bits >> 23) + (b >> 8) % 60;

				b = (b & 0x807fffff) | (near < 30 ? 0 : near - 30 > 253 ? 253 : near - 30) << 23;
			}
			if ((b & 0x7fffffff) >= 0x7f000000)
				b &= 0xbfffffff;
			sum_value_put(f, pred + skew, i, a);
			delta.bits[i] = b;
		}
		check_sums(f, N, skew);
	}
}

/* Lengths that end in every place of a vector. */
static void every_length(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (size_t n = 0; n < 70; n++)
		for (unsigned which = 0; which < SUM_FORMATS; which++) {
			for (size_t i = 0; i < sizeof(pred); i++)
				pred[i] = (uint8_t)random_next(&seed);
			for (size_t i = 0; i < n; i++)
				delta.bits[i] = (uint32_t)random_next(&seed) & 0xbfffffff;
			check_sums(&sum_formats[which], n, n % (SKEW_MAX + 1));
		}
}

static void other_dtypes_are_not_taken(void **state)
{
	(void)state;
	for (unsigned dtype = 0; dtype < DFS_DTYPES; dtype++)
		CHECK(dfs_add_takes(dtype) == (dtype == DFS_BF16 || dtype == DFS_F16 || dtype == DFS_F32));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(edges_meet_edges),
	cmocka_unit_test(every_short_value),
	cmocka_unit_test(random_pairs),
	cmocka_unit_test(every_length),
	cmocka_unit_test(other_dtypes_are_not_taken),
};

CHECK_MAIN(cases)
