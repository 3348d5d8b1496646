/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_delta: what codecs that give up bits work on: differences in F32, and whether they may. */
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "codec/lossy.h"
#include "samples.h"
#include "tensor/convert.h"

#define N 2100	/* two blocks and a rest */

static const unsigned dtypes[] = { DFS_BF16, DFS_F16, DFS_F32 };
static const char *const levels[] = { "portable", "avx2", "avx512" };

static void put(unsigned dtype, uint8_t *values, size_t i, float value)
{
	dfs_convert(DFS_F32, dtype, &value, values + i * dfs_dtype_info(dtype)->size, 1);
}

static float get(unsigned dtype, const uint8_t *values, size_t i)
{
	float value;

	dfs_convert(dtype, DFS_F32, values + i * dfs_dtype_info(dtype)->size, &value, 1);
	return value;
}

static void fill(unsigned dtype, uint8_t *values, uint64_t seed)
{
	for (size_t i = 0; i < N; i++)
		put(dtype, values, i, ldexpf((float)(int32_t)random_next(&seed), -40));
}

static void differences_are_subtractions(void **state)
{
	uint8_t data[4 * N], pred[4 * N];
	float delta[N + 1];

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		unsigned dtype = dtypes[i / 3];

		setenv("DELTAFS_CPU", levels[i % 3], 1);
		fill(dtype, data, 1);
		fill(dtype, pred, 2);
		for (size_t n = 0; n <= N; n += 1 + n / 3) {
			delta[n] = 5;
			CHECK(dfs_delta(dtype, data, pred, delta, n));
			for (size_t k = 0; k < n; k++)
				CHECK(delta[k] == get(dtype, data, k) - get(dtype, pred, k));
			CHECK(delta[n] == 5);
		}
	}
	unsetenv("DELTAFS_CPU");
}

/* At any place, on either side: what is too large, or no number. */
static void what_is_not_finite_or_too_large_is_told(void **state)
{
	uint8_t data[4 * N], pred[4 * N];
	float delta[N];

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		unsigned dtype = dtypes[i / 3];
		float limit = dtype == DFS_F16 ? 0x1p14f : 0x1p125f;
		const float bad[] = { NAN, -NAN, INFINITY, -INFINITY, limit * 1.0625f, -limit * 1.0625f };

		setenv("DELTAFS_CPU", levels[i % 3], 1);
		for (size_t at = 0; at < N; at += 1 + at / 2)
			for (unsigned k = 0; k < 12; k++) {
				fill(dtype, data, 1);
				fill(dtype, pred, 2);
				put(dtype, k % 2 ? data : pred, at, k % 4 < 2 ? limit : -limit);
				CHECK(dfs_delta(dtype, data, pred, delta, N));
				put(dtype, k % 2 ? data : pred, at, bad[k / 2]);
				CHECK(!dfs_delta(dtype, data, pred, delta, N));
			}
	}
	unsetenv("DELTAFS_CPU");
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(differences_are_subtractions),
	cmocka_unit_test(what_is_not_finite_or_too_large_is_told),
};

CHECK_MAIN(cases)
