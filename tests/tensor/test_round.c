/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rounding to values with zero low bits, against a search for the nearest one. */
#include "../check.h"

#include <stdlib.h>

#include "floats.h"
#include "tensor/convert.h"
#include "util/bytes.h"

/*
 * The multiple of 2^drop nearest to @magnitude; magnitudes of a float are in
 * the order of its values and evenly spaced within an exponent, so nearest
 * among codes is nearest among values.
 */
static uint64_t nearest_multiple(uint64_t magnitude, unsigned drop)
{
	uint64_t unit = UINT64_C(1) << drop;
	uint64_t below = magnitude / unit * unit, above = below + unit;

	if (magnitude - below != above - magnitude)
		return magnitude - below < above - magnitude ? below : above;
	return below / unit % 2 == 0 ? below : above;
}

static uint64_t expected(const struct float_kind *k, unsigned drop, uint64_t code)
{
	uint64_t sign = code >> (width(k) - 1) << (width(k) - 1);
	uint64_t magnitude = code - sign;
	uint64_t top = field_ones(k->exponent) << k->mantissa;
	uint64_t cut = magnitude >> drop << drop;

	if (magnitude < top)
		return sign | nearest_multiple(magnitude, drop);
	if (magnitude > top && cut == top)
		cut |= UINT64_C(1) << (k->mantissa - 1);
	return sign | cut;
}

static uint64_t round_one(const struct float_kind *k, unsigned drop, uint64_t code)
{
	uint8_t bytes[8];

	dfs_put_u64le(bytes, code);
	dfs_round_low(k->dtype, drop, bytes, 1);
	return dfs_get_u64le(bytes);
}

static void every_narrow_value_and_drop(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_KINDS; i++) {
		const struct float_kind *k = &kinds[i];

		if (width(k) > 16)
			continue;
		for (unsigned drop = 1; drop < (unsigned)k->mantissa; drop++)
			for (uint64_t code = 0; code <= field_ones(width(k)); code++)
				assert_int_equal(round_one(k, drop, code), expected(k, drop, code));
	}
}

static void wide_values_near_ties_and_tops(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (size_t i = 4; i < N_KINDS; i++) {
		const struct float_kind *k = &kinds[i];

		for (int round = 0; round < 300000; round++) {
			uint64_t r = random_next(&seed);
			unsigned drop = 1 + (unsigned)(r % (unsigned)(k->mantissa - 1));
			uint64_t code = random_next(&seed) & field_ones(width(k));

			if (r >> 32 & 1) /* on or beside a tie */
				code = (code >> drop << drop) + (UINT64_C(1) << (drop - 1)) +
				       (r >> 33) % 3 - 1;
			if ((r >> 40) % 8 == 0) /* infinities and NaNs */
				code |= field_ones(k->exponent) << k->mantissa;
			if ((r >> 48) % 8 == 0)
				code &= ~(field_ones(k->mantissa) >> (r >> 51) % 8);
			assert_int_equal(round_one(k, drop, code), expected(k, drop, code));
		}
	}
}

static void runs_of_any_length(void **state)
{
	uint8_t data[4 * 200 + 3], want[4 * 200 + 3];
	uint64_t seed = 4;

	(void)state;
	for (size_t n = 0; n < 200; n++) {
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)random_next(&seed);
		memcpy(want, data, sizeof(data));
		for (size_t i = 0; i < n; i++)
			dfs_put_u32le(want + 1 + 4 * i,
				      (uint32_t)expected(&kinds[4], 16,
							 dfs_get_u32le(data + 1 + 4 * i)));
		dfs_round_low(DFS_F32, 16, data + 1, n);
		CHECK_BYTES(data, want, sizeof(data));
	}
}

static void drop_out_of_range_changes_nothing(void **state)
{
	uint8_t data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, same[8];

	(void)state;
	memcpy(same, data, 8);
	for (unsigned dtype = 0; dtype < DFS_DTYPES; dtype++) {
		const struct dfs_dtype_info *info = dfs_dtype_info(dtype);

		dfs_round_low(dtype, 0, data, 8u / info->size);
		for (unsigned drop = info->mantissa; drop < 256; drop++)
			if (drop > 0)
				dfs_round_low(dtype, drop, data, 8u / info->size);
		CHECK_BYTES(data, same, 8);
	}
}

static void complex_is_rounded_as_pairs(void **state)
{
	uint8_t data[8];

	(void)state;
	dfs_put_u32le(data, 0x3f80ffff);
	dfs_put_u32le(data + 4, 0xbf800001);
	dfs_round_low(DFS_C64, 16, data, 2);
	assert_int_equal(dfs_get_u32le(data), 0x3f810000);
	assert_int_equal(dfs_get_u32le(data + 4), 0xbf800000);
}

static void low_zeros_are_those_of_all_values(void **state)
{
	uint8_t data[8 * 41 + 1];
	uint64_t seed = 5;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		const struct float_kind *k = &kinds[random_next(&seed) % N_KINDS];
		size_t n = random_next(&seed) % 41, size = (size_t)width(k) / 8;
		unsigned zeros = (unsigned)(random_next(&seed) % (unsigned)width(k));
		unsigned want = (unsigned)k->mantissa - 1;

		for (size_t i = 0; i < n; i++) {
			uint64_t v = random_next(&seed) << zeros & field_ones(width(k));
			uint8_t bytes[8];

			dfs_put_u64le(bytes, v);
			memcpy(data + 1 + i * size, bytes, size);
			for (unsigned bit = 0; bit < want; bit++)
				if (v >> bit & 1)
					want = bit;
		}
		assert_int_equal(dfs_common_low_zeros(k->dtype, data + 1, n), want);
	}
}

static void low_zeros_of_integers_are_none(void **state)
{
	static const uint8_t zeros[64];

	(void)state;
	assert_int_equal(dfs_common_low_zeros(DFS_I32, zeros, 16), 0);
	assert_int_equal(dfs_common_low_zeros(DFS_BYTES, zeros, 64), 0);
	assert_int_equal(dfs_common_low_zeros(DFS_BF16, zeros, 32), 6);
	assert_int_equal(dfs_common_low_zeros(DFS_C64, zeros, 16), 22);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(every_narrow_value_and_drop),
	cmocka_unit_test(wide_values_near_ties_and_tops),
	cmocka_unit_test(runs_of_any_length),
	cmocka_unit_test(drop_out_of_range_changes_nothing),
	cmocka_unit_test(complex_is_rounded_as_pairs),
	cmocka_unit_test(low_zeros_are_those_of_all_values),
	cmocka_unit_test(low_zeros_of_integers_are_none),
};

CHECK_MAIN(cases)
