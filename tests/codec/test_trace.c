/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_trace: sums of singular values, of matrices whose singular values are known. */
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "codec/svd.h"

/* Entry of an orthogonal matrix of @n rows and columns (the DCT of type 2, scaled). */
static double entry(uint64_t n, uint64_t row, uint64_t k)
{
	return sqrt((k ? 2.0 : 1.0) / (double)n) * cos(M_PI * ((double)row + 0.5) * (double)k / (double)n);
}

/* Sum over k of values[k] u_k v_k^T. */
static float *matrix_of(uint64_t rows, uint64_t cols, const double *values, uint64_t n)
{
	float *d = malloc(rows * cols * sizeof(*d));

	for (uint64_t i = 0; i < rows; i++)
		for (uint64_t j = 0; j < cols; j++) {
			double sum = 0;

			for (uint64_t k = 0; k < n; k++)
				sum += values[k] * entry(rows, i, k) * entry(cols, j, k);
			d[i * cols + j] = (float)sum;
		}
	return d;
}

static void check(uint64_t rows, uint64_t cols, const double *values, uint64_t n)
{
	float *d = matrix_of(rows, cols, values, n);
	double want = 0, got;

	for (uint64_t k = 0; k < n; k++)
		want += values[k];
	CHECK_RET(0, dfs_linear_trace(d, rows, cols, &got, NULL));
	/* entries are F32: each moves each singular value by less than 2^-24 of the largest, times a root of their number */
	CHECK(fabs(got - want) <= 0x1p-22 * values[0] * sqrt((double)(rows * cols)) + 1e-12);
	free(d);
}

static void sums_are_those_of_the_values_put_in(void **state)
{
	static const double many[40] = {
		9, 8, 7, 6, 5, 5, 5, 4, 3, 2, 1, 1, 1, .9, .8, .7, .6, .5, .4, .3, .3, .3, .2, .2, .1, .1, .1,
		.05, .05, .04, .03, .02, .01, .01, .01, .01, .005, .002, .001, .001,
	};
	static const double one = 3.5, none = 0;

	(void)state;
	check(40, 40, many, 40);
	check(40, 300, many, 40);	/* more than a panel, either way */
	check(300, 40, many, 40);
	check(129, 128, many, 12);
	check(1, 77, &one, 1);
	check(77, 1, &one, 1);
	check(1, 1, &one, 1);
	check(5, 9, &none, 1);
}

static int load(void **state)
{
	(void)state;
	return dfs_linear_load(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(sums_are_those_of_the_values_put_in) };

	return cmocka_run_group_tests(tests, load, NULL);
}
