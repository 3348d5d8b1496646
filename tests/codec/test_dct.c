/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_dct: the transform back against FFTW's and against its definition, and
 * delta-dct's constants against what they are said to be.
 */
#include <fftw3.h>
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "codec/delta_dct.h"
#include "codec/lossy.h"
#include "random.h"

static const unsigned sides[] = { 8, 16, 32, 64 };

#define EACH_SIDE(p) for (const unsigned *p = sides; p < sides + 4; p++)

static long double cosine_of(unsigned p, unsigned k, unsigned i)
{
	return sqrtl((k ? 2.0L : 1.0L) / p) * cosl(acosl(-1) * ((2 * i + 1) * k) / (2 * p));
}

static void cosines_are_the_nearest_floats(void **state)
{
	float a[DFS_DCT_P_MAX * DFS_DCT_P_MAX];

	(void)state;
	EACH_SIDE(p) {
		dfs_dct_cosines(*p, a);
		for (unsigned k = 0; k < *p; k++)
			for (unsigned i = 0; i < *p; i++)
				CHECK(a[k * *p + i] == (float)cosine_of(*p, k, i));
	}
}

static void fill(float *c, unsigned p, unsigned kind, uint64_t seed)
{
	for (unsigned i = 0; i < p * p; i++) {
		c[i] = (float)random_normal(&seed);
		if (kind == 1)
			c[i] = ldexpf(c[i], (int)(random_next(&seed) % 40) - 20);
		if (kind == 2)
			c[i] = i == random_next(&seed) % (p * p) ? 1.0f : 0.0f;
	}
}

/*
 * Of a sum of products whose magnitudes' sum is B, in which every factor, product
 * and sum is rounded, at most (2p + 4) * 2^-24 B is lost.
 */
static void inverse_is_the_definition(void **state)
{
	(void)state;
	EACH_SIDE(p) {
		static float a[4096], c[4096], x[4096];
		static double half[4096], half_bound[4096];
		unsigned n = *p;

		dfs_dct_cosines(n, a);
		for (unsigned kind = 0; kind < 3; kind++) {
			fill(c, n, kind, n + kind);
			dfs_dct_inverse(DFS_CPU_PORTABLE, n, a, c, x, n);
			for (unsigned i = 0; i < n * n; i++) {
				half[i] = half_bound[i] = 0;
				for (unsigned k = 0; k < n; k++) {
					double one = (double)cosine_of(n, k, i / n) * c[k * n + i % n];

					half[i] += one;
					half_bound[i] += fabs(one);
				}
			}
			for (unsigned i = 0; i < n * n; i++) {
				double value = 0, bound = 0;

				for (unsigned j = 0; j < n; j++) {
					double factor = (double)cosine_of(n, j, i % n);

					value += half[i / n * n + j] * factor;
					bound += half_bound[i / n * n + j] * fabs(factor);
				}
				CHECK(fabs(x[i] - value) <= (2 * n + 4) * 0x1p-24 * bound);
			}
		}
	}
}

/* Both are F32: what FFTW loses is less than what so many roundings can. */
static void inverse_is_near_fftw(void **state)
{
	(void)state;
	EACH_SIDE(p) {
		unsigned n = *p;
		float *in = fftwf_malloc(4096 * sizeof(*in)), *out = fftwf_malloc(4096 * sizeof(*out));
		static float a[4096], c[4096], x[4096];
		double sum = 0;
		fftwf_plan plan = fftwf_plan_r2r_2d((int)n, (int)n, in, out, FFTW_REDFT01, FFTW_REDFT01,
						    FFTW_ESTIMATE);

		fill(c, n, 0, n);
		for (unsigned i = 0; i < n * n; i++) {
			in[i] = c[i] / (2.0f * (float)n);
			in[i] *= (i < n ? sqrtf(2) : 1) * (i % n ? 1 : sqrtf(2));
			sum += fabs(c[i]) * 2 / n;
		}
		fftwf_execute(plan);
		dfs_dct_cosines(n, a);
		dfs_dct_inverse(dfs_cpu_best(), n, a, c, x, n);
		for (unsigned i = 0; i < n * n; i++)
			CHECK(fabs(x[i] - out[i]) <= (2 * n + 4) * 0x1p-23 * sum);
		fftwf_destroy_plan(plan);
		fftwf_free(in);
		fftwf_free(out);
	}
}

static void inverse_is_the_same_on_all_levels(void **state)
{
	(void)state;
	EACH_SIDE(p) {
		static float a[4096], c[4096 + 1], x[3][64 * 80 + 1];

		dfs_dct_cosines(*p, a);
		for (unsigned kind = 0; kind < 3; kind++) {
			fill(c + 1, *p, kind, kind);
			memset(x, 0, sizeof(x));
			for (unsigned level = 0; level <= dfs_cpu_best(); level++) {
				dfs_dct_inverse(level, *p, a, c + 1, x[level] + 1, 80);
				CHECK_BYTES(x[level], x[0], sizeof(x[0]));
			}
		}
	}
}

static void forward_and_inverse_cancel(void **state)
{
	struct dfs_scratch *scratch = dfs_scratch_new();

	(void)state;
	EACH_SIDE(p) {
		unsigned n = *p, batch = dfs_dct_batch(n);
		float *in = aligned_alloc(64, 2 * DFS_DCT_BATCH * sizeof(*in)), *out = in + DFS_DCT_BATCH;
		static float a[4096], c[4096], x[4096];

		dfs_dct_cosines(n, a);
		for (unsigned count = batch; count > 0; count = count == batch ? batch - 1 : 0) {
			for (unsigned i = 0; i < count; i++)
				fill(in + (size_t)i * n * n, n, 0, i);
			CHECK_RET(0, dfs_dct_forward(scratch, n, in, out, count));
			for (unsigned i = 0; i < count; i += count - 1) {
				for (unsigned k = 0; k < n * n; k++)
					c[k] = out[(size_t)i * n * n + k] / (2.0f * (float)n);
				dfs_dct_inverse(dfs_cpu_best(), n, a, c, x, n);
				for (unsigned k = 0; k < n * n; k++)
					CHECK(fabsf(x[k] - in[(size_t)i * n * n + k]) < 1e-4f);
			}
		}
		free(in);
	}
	dfs_scratch_free(scratch);
}

static long double density(long double x)
{
	return isinf(x) ? 0 : expl(-x * x / 2) / sqrtl(2 * acosl(-1));
}

static long double above(long double x)
{
	return erfcl(x / sqrtl(2)) / 2;
}

/*
 * The condition that defines them: each is the mean of what lies nearest to it.
 * Rounding to 1/8192 moves a level by half of that, and a mean, which follows
 * its neighbours, by no more. The errors of some are in Max's table of 1960.
 */
static void levels_are_those_of_lloyd_and_max(void **state)
{
	static const double errors[] = { [2] = 0.1175, [3] = 0.03454, [4] = 0.009497, [5] = 0.002499 };

	(void)state;
	CHECK(dfs_dct_level(false, 1, 0) == -1 && dfs_dct_level(false, 1, 1) == 1);
	for (unsigned bits = 2; bits <= 8; bits++) {
		unsigned n = 1u << bits;
		long double error = 1;

		for (unsigned code = n / 2; code < n; code++) {
			long double level = dfs_dct_level(false, bits, code);
			long double low = (level + dfs_dct_level(false, bits, code - 1)) / 2;
			long double high = code + 1 < n ? (level + dfs_dct_level(false, bits, code + 1)) / 2 : HUGE_VALL;
			long double share = above(low) - above(high);

			CHECK(fabsl((density(low) - density(high)) / share - level) < 1.01L / 8192);
			CHECK(dfs_dct_level(false, bits, n - 1 - code) == -(float)level);
			CHECK(level * 8192 == floorl(level * 8192));
			error -= 2 * (2 * level * (density(low) - density(high)) - level * level * share);
		}
		if (bits <= 5)
			CHECK(fabsl(error - errors[bits]) < 1e-4L);
	}
	for (unsigned code = 0; code < 16; code++)
		CHECK(dfs_dct_level(true, 4, code) == (float)code);
}

static struct dfs_dct_table *table_of(struct dfs_dct_params params)
{
	struct dfs_dct_table *t = calloc(1, dfs_dct_table_bytes(&params));

	CHECK(t);
	dfs_dct_table_init(t, &params);
	return t;
}

/* Of one byte, by powers of two that long double calculates anew. */
static void numbers_are_what_they_are_said_to_be(void **state)
{
	struct dfs_dct_params params = {
		.p = 8, .number = 1, .n_classes = 1, .bits = { 2 }, .gain_unit = 3, .mean_unit = 0.5f, .scale = 1,
	};
	struct dfs_dct_table *lloyd = table_of(params), *minmax;

	(void)state;
	params.minmax = true;
	minmax = table_of(params);
	for (unsigned code = 1; code < 256; code++) {
		uint8_t byte = (uint8_t)code, again;
		long double gain = 3 * exp2l(-(255.0L - code) / 16), bound = 3 * exp2l(-(127.0L - code % 128) / 8);
		float got = dfs_dct_number_get(lloyd, DFS_DCT_GAIN, &byte);

		CHECK(fabsl(got - gain) <= gain * 0x1p-23L);
		dfs_dct_number_put(lloyd, DFS_DCT_GAIN, got, &again);
		CHECK(again == byte);
		got = dfs_dct_number_get(minmax, DFS_DCT_BOUND, &byte);
		CHECK(code == 128 ? got == 0 : fabsl(fabsf(got) - bound) <= bound * 0x1p-23L && (got < 0) == (code > 128));
		dfs_dct_number_put(minmax, DFS_DCT_BOUND, got, &again);
		CHECK(again == (code == 128 ? 0 : byte));
		CHECK(dfs_dct_number_get(lloyd, DFS_DCT_MEAN, &byte) == 0.5f * (float)(code < 128 ? (int)code : (int)code - 256));
	}
	free(lloyd);
	free(minmax);
}

static void ranks_are_exact_and_the_first_of_equals_is_first(void **state)
{
	union { struct dfs_dct_options o; uint8_t room[DFS_LOSSY_OPTIONS_MAX]; } options;
	static float norms[10007];
	static uint8_t classes[10007];
	size_t counts[8], n = 10007;

	(void)state;
	CHECK_RET(0, dfs_lossy_parse(&dfs_lossy_delta_dct, "bits=4:0.1/2:0.3/1:0.25/0:0.35", &options, NULL));
	for (uint64_t i = 0, seed = 1; i < n; i++)
		norms[i] = (float)(random_next(&seed) % 300) * 0.25f;
	CHECK_RET(0, dfs_dct_rank(&options.o, 16 * n, 16, norms, classes));
	dfs_dct_counts(&options.o, 16 * n, 16, counts);
	CHECK(counts[0] == 1001 && counts[1] == 3002 && counts[2] == 2502 && counts[3] == 3502);
	for (size_t i = 0; i < n; i++) {
		size_t before = 0;

		for (size_t k = 0; k < n; k++)
			before += norms[k] > norms[i] || (norms[k] == norms[i] && k < i);
		CHECK(classes[i] == (before >= 1001) + (before >= 4003) + (before >= 6505));
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(cosines_are_the_nearest_floats),
	cmocka_unit_test(inverse_is_the_definition),
	cmocka_unit_test(inverse_is_near_fftw),
	cmocka_unit_test(inverse_is_the_same_on_all_levels),
	cmocka_unit_test(forward_and_inverse_cancel),
	cmocka_unit_test(levels_are_those_of_lloyd_and_max),
	cmocka_unit_test(numbers_are_what_they_are_said_to_be),
	cmocka_unit_test(ranks_are_exact_and_the_first_of_equals_is_first),
};

CHECK_MAIN(cases)
