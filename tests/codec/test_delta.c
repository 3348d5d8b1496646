/* SPDX-License-Identifier: GPL-2.0-or-later */
/* delta: the differences that codecs which give up bits work on, and how their options are read. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "codec/lossy.h"
#include "matrix.h"

static const unsigned dtypes[] = { DFS_BF16, DFS_F16, DFS_F32 };

static void differences_are_of_f32(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		for (size_t n = 0; n < 2100; n += 1 + n / 3) {
			struct matrix t = matrix_new(dtypes[i], 1, n);
			float *delta = malloc((n + 1) * sizeof(*delta));

			matrix_fill(&t, GAUSSIAN, 0.1, n + i);
			delta[n] = 17;
			CHECK(dfs_delta(dtypes[i], t.data, t.pred, delta, n));
			for (size_t v = 0; v < n; v++)
				CHECK(delta[v] == (float)matrix_get(&t, t.data, v) - (float)matrix_get(&t, t.pred, v));
			CHECK(delta[n] == 17);
			free(delta);
			matrix_free(&t);
		}
}

/* One value of 1500, in the file or in the prediction, first or last or between. */
static bool takes(unsigned dtype, double value, bool in_pred, size_t at)
{
	struct matrix t = matrix_new(dtype, 1, 1500);
	float delta[1500];
	bool taken;

	matrix_put(&t, in_pred ? t.pred : t.data, at, value);
	taken = dfs_delta(dtype, t.data, t.pred, delta, t.n);
	matrix_free(&t);
	return taken;
}

static void what_is_no_number_or_too_large_is_seen(void **state)
{
	static const size_t places[] = { 0, 1023, 1024, 1499 };
	(void)state;

	for (unsigned i = 0; i < 3 * 2 * 4; i++) {
		unsigned dtype = dtypes[i % 3];
		bool in_pred = i / 3 % 2;
		size_t at = places[i / 6];
		double limit = dtype == DFS_F16 ? 0x1p11 : 0x1p120;

		CHECK(takes(dtype, limit, in_pred, at) && takes(dtype, -limit, in_pred, at));
		CHECK(!takes(dtype, limit * 1.01, in_pred, at) && !takes(dtype, -limit * 1.01, in_pred, at));
		CHECK(!takes(dtype, NAN, in_pred, at) && !takes(dtype, -NAN, in_pred, at));
		CHECK(!takes(dtype, INFINITY, in_pred, at) && !takes(dtype, -INFINITY, in_pred, at));
		CHECK(takes(dtype, -0.0, in_pred, at) && takes(dtype, 0x1p-149, in_pred, at));
	}
}

static double option(const void *options, unsigned number)
{
	double value;

	memcpy(&value, (const uint8_t *)options + dfs_lossy_find(DFS_CODEC_BITDELTA)->options[number].offset, sizeof(value));
	return value;
}

static void options_start_from_the_defaults_each_time(void **state)
{
	const struct dfs_lossy *lossy = dfs_lossy_find(DFS_CODEC_BITDELTA);
	_Alignas(16) uint8_t options[DFS_LOSSY_OPTIONS_MAX];
	struct dfs_err err = { "" };
	(void)state;

	memset(options, 0x55, sizeof(options));
	CHECK_OK(dfs_lossy_parse(lossy, "k=4,scale=column", options, &err), err);
	CHECK(option(options, 0) == 2 && option(options, 1) == 4);
	CHECK_OK(dfs_lossy_parse(lossy, "k=4,k=2", options, &err), err);
	CHECK(option(options, 0) == 1 && option(options, 1) == 2);
	CHECK_OK(dfs_lossy_parse(lossy, NULL, options, &err), err);
	CHECK(option(options, 0) == 1 && option(options, 1) == 1);
	CHECK_RET(-EINVAL, dfs_lossy_parse(lossy, "k=1,,k=2", options, &err));
	CHECK_RET(-EINVAL, dfs_lossy_parse(lossy, "scael=row", options, &err));
	CHECK(strstr(err.text, "did you mean \"scale\""));
}

static void exact_codecs_have_no_row(void **state)
{
	(void)state;
	for (unsigned id = 0; id < DFS_CODECS + 5; id++)
		if (id < 16 || id >= DFS_CODECS)
			CHECK(!dfs_lossy_find(id));
	CHECK(!strcmp(dfs_lossy_find(DFS_CODEC_BITDELTA)->codec->name, "bitdelta"));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(differences_are_of_f32),
	cmocka_unit_test(what_is_no_number_or_too_large_is_seen),
	cmocka_unit_test(options_start_from_the_defaults_each_time),
	cmocka_unit_test(exact_codecs_have_no_row),
};

CHECK_MAIN(cases)
