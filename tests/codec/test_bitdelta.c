/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitdelta: what it decodes to is worked out here from its definition: means,
 * signs and residuals in doubles, sums on whole numbers (sums.h).
 */
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "driven.h"
#include "sums.h"

static const char *const scales[] = { "scalar", "row", "column" };

static const struct sum_format *format_of(unsigned dtype)
{
	return &sum_formats[dtype == DFS_BF16 ? 0 : dtype == DFS_F16 ? 1 : 2];
}

static uint32_t bits_of(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, 4);
	return bits;
}

/* The F16 nearest to value / 2^exponent, at most the largest, times 2^exponent. */
static float scale_of(double mean, int exponent)
{
	double value = ldexp((double)(float)mean, -exponent);
	int place;

	frexp(value, &place);
	place = place < -13 ? -24 : place - 11;	/* of the last bit */
	value = ldexp(rint(ldexp(value, -place)), place);
	return (float)ldexp(value < 65504 ? value : 65504, exponent);
}

static size_t unit_of(unsigned what, const struct matrix *t, size_t i)
{
	return what == 0 ? 0 : what == 1 ? i / t->shape.cols : i % t->shape.cols;
}

/* One round: @left becomes its residual, @given the sum of terms so far. */
static void do_round(const struct matrix *t, unsigned what, int *exponent, float *left, float *given, bool first)
{
	size_t units = unit_of(what, t, t->n - 1) + 1;
	double *means = calloc(units, sizeof(*means)), largest = 0;

	for (size_t i = 0; i < t->n; i++)
		means[unit_of(what, t, i)] += fabs((double)left[i]);
	for (size_t u = 0; u < units; u++) {
		means[u] /= (double)(t->n / units);
		largest = fmax(largest, means[u]);
	}
	if (first) {
		frexp(largest, exponent);
		*exponent = (int)fmax(*exponent - 15, -125);
	}
	for (size_t i = 0; i < t->n; i++) {
		float scale = scale_of(means[unit_of(what, t, i)], *exponent);
		float term = left[i] < 0 ? -scale : scale;

		left[i] -= term;
		given[i] = first ? term : given[i] + term;
	}
	free(means);
}

/* What a tensor must decode to. */
static uint8_t *expected(const struct matrix *t, unsigned what, unsigned k)
{
	const struct sum_format *f = format_of(t->shape.dtype);
	float *left = malloc(t->n * sizeof(*left)), *given = malloc(t->n * sizeof(*given));
	uint8_t *values = malloc(t->bytes);
	int exponent = 0;

	CHECK(left && given && values);
	for (size_t i = 0; i < t->n; i++)
		left[i] = (float)matrix_delta(t, i);
	for (unsigned round = 0; round < k; round++)
		do_round(t, what, &exponent, left, given, round == 0);
	for (size_t i = 0; i < t->n; i++)
		sum_value_put(f, values, i, sum_expected(f, sum_value_at(f, t->pred, i), bits_of(given[i])));
	free(left);
	free(given);
	return values;
}

/* Values of the first chunk, and of each other. */
struct cut {
	size_t head, chunk;
};

static const struct cut whole = { 65536, 65536 };

static void code(const struct matrix *t, unsigned what, unsigned k, struct cut cut, struct driven *coded)
{
	char options[64];
	struct driver how = { .codec = DFS_CODEC_BITDELTA, .options = options, .head = cut.head, .chunk = cut.chunk, .backwards = true };

	snprintf(options, sizeof(options), "scale=%s,k=%u", scales[what], k);
	CHECK_RET(0, drive(&how, t, 1, coded));
}

/* Decoded by every kernel, in place and not, from odd places, it is what the definition says. */
static void check_tensor(const struct matrix *t, unsigned what, unsigned k, struct cut cut)
{
	uint8_t *want = expected(t, what, k), *got = malloc(t->bytes);
	struct driven coded;

	code(t, what, k, cut, &coded);
	for (unsigned level = 0; level <= dfs_cpu_best(); level++)
		for (unsigned in_place = 0; in_place < 2; in_place++) {
			struct way way = { level, (level + k) % 4 * 3, in_place };

			memset(got, 0, t->bytes);
			CHECK_RET(0, driven_decode(&coded, way, got));
			CHECK_BYTES(got, want, t->bytes);
		}
	driven_free(&coded);
	free(want);
	free(got);
}

static const unsigned dtypes[] = { DFS_BF16, DFS_F16, DFS_F32 };

static void it_decodes_to_what_it_is_defined_to(void **state)
{
	static const uint64_t shapes[][2] = {
		{ 1, 1 }, { 1, 700 }, { 700, 1 }, { 64, 64 }, { 3, 511 }, { 7, 513 }, { 130, 37 }, { 2, 1024 },
	};
	static const struct cut cuts[] = { { 65536, 65536 }, { 1, 512 }, { 3, 777 }, { 600, 64 } };
	(void)state;

	for (unsigned i = 0; i < 8 * 3 * 3 * 8; i++) {
		unsigned shape = i % 8, what = i / 8 % 3, dtype = dtypes[i / 24 % 3], k = i / 72 + 1;
		struct matrix t = matrix_new(dtype, shapes[shape][0], shapes[shape][1]);

		matrix_fill(&t, GAUSSIAN, i % 5 ? 0.001 : 0.1, i);
		check_tensor(&t, what, k, cuts[i % 4]);
		matrix_free(&t);
	}
}

static void two_codings_and_two_cuts_give_the_same_bytes(void **state)
{
	struct matrix t = matrix_new(DFS_BF16, 300, 301);
	struct driven a, b, other;
	(void)state;

	matrix_fill(&t, GAUSSIAN, 0.001, 1);
	code(&t, 1, 3, whole, &a);
	code(&t, 1, 3, whole, &b);
	code(&t, 1, 3, (struct cut){ 1000, 777 }, &other);
	CHECK(driven_same(&a, &b));
	CHECK(a.table.len == other.table.len);
	CHECK_BYTES(a.table.data, other.table.data, a.table.len);
	driven_free(&a);
	driven_free(&b);
	driven_free(&other);
	matrix_free(&t);
}

/* Fills a tensor: difference number i is @at(i) of a prediction of @pred. */
static void check_differences(unsigned dtype, double pred, double (*at)(size_t i))
{
	struct matrix t = matrix_new(dtype, 61, 67);

	for (size_t i = 0; i < t.n; i++) {
		matrix_put(&t, t.pred, i, pred);
		matrix_put(&t, t.data, i, pred + at(i));
	}
	for (unsigned what = 0; what < 3; what++)
		for (unsigned k = 1; k <= 8; k += 3)
			check_tensor(&t, what, k, whole);
	matrix_free(&t);
}

static double zero(size_t i)
{
	return 0 * (double)i;
}

static double constant(size_t i)
{
	return i % 2 ? 0.25 : -0.25;
}

static double largest(size_t i)
{
	return i % 3 ? 0x1p120 : -0x1p120;
}

static double largest_f16(size_t i)
{
	return i % 3 ? 2048 : -2048;
}

static double tiny(size_t i)
{
	return (double)(i % 7) * (i % 2 ? 0x1p-149 : -0x1p-149);
}

static double tiny_f16(size_t i)
{
	return (double)(i % 7) * (i % 2 ? 0x1p-24 : -0x1p-24);
}

/* The mean of the second round is almost twice that of the first, whose F16 is just below the top of its range. */
static double outlier(size_t i)
{
	return i % 67 == 5 ? 0x1.ff8p-3 : 0;
}

static double wide(size_t i)
{
	return ldexp(i % 2 ? 1 : -1, -(int)(i % 67) * 2);
}

static void degenerate_differences(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		bool f16 = dtypes[i] == DFS_F16;

		check_differences(dtypes[i], 0, zero);
		check_differences(dtypes[i], -0.5, zero);
		check_differences(dtypes[i], 1, constant);
		check_differences(dtypes[i], 0, f16 ? largest_f16 : largest);
		check_differences(dtypes[i], 0, f16 ? tiny_f16 : tiny);
		check_differences(dtypes[i], f16 ? 0x1p-14 : 0x1p-126, f16 ? tiny_f16 : tiny);
		check_differences(dtypes[i], 0, outlier);
		check_differences(dtypes[i], 0.01, wide);
	}
}

/* A second mean above 65504 * 2^exponent would be infinity. */
static void a_scale_that_no_f16_holds_is_cut_off(void **state)
{
	struct matrix t = matrix_new(DFS_F32, 1, 1 << 16);
	struct driven coded;
	(void)state;

	matrix_put(&t, t.data, 77, 0xffff);
	code(&t, 0, 2, whole, &coded);
	CHECK(dfs_get_u16le(coded.table.data + 4) < 0x7c00 && dfs_get_u16le(coded.table.data + 6) == 0x7bff);
	driven_free(&coded);
	check_tensor(&t, 0, 2, whole);
	matrix_free(&t);
}

/* The signs of the prediction's zeros, and what is no number in it. */
static void special_predictions(void **state)
{
	struct matrix t = matrix_new(DFS_BF16, 64, 64);
	const struct sum_format *f = format_of(DFS_BF16);
	uint8_t *got = malloc(t.bytes);
	struct driven coded;
	(void)state;

	matrix_fill(&t, GAUSSIAN, 0.001, 3);
	code(&t, 1, 1, whole, &coded);
	for (size_t i = 0; i < t.n; i++)
		sum_value_put(f, t.pred, i, (uint32_t)(i * 16 + (i >> 12)) & 0xffff);
	for (unsigned level = 0; level <= dfs_cpu_best(); level++) {
		CHECK_RET(0, driven_decode(&coded, (struct way){ level, 1, false }, got));
		for (size_t i = 0; i < t.n; i++) {
			bool minus = coded.chunks[0].payload[i / 8] >> i % 8 & 1;
			uint16_t half = dfs_get_u16le(coded.table.data + 4 + 2 * (i / 64));
			double scale = ldexp((half & 0x3ff) | 0x400, (half >> 10) - 25 + (int8_t)coded.table.data[2]);

			CHECK(half >= 0x400);
			CHECK(sum_value_at(f, got, i) == sum_expected(f, sum_value_at(f, t.pred, i),
				bits_of(minus ? -(float)scale : (float)scale)));
		}
	}
	free(got);
	driven_free(&coded);
	matrix_free(&t);
}

/* Error of the decoded differences, relative to the differences, as squares. */
static double error_of(const struct matrix *t, const char *options, double *ret_bits)
{
	struct driver how = { .codec = DFS_CODEC_BITDELTA, .options = options, .chunk = whole.chunk };
	struct driven coded;
	uint8_t *got = malloc(t->bytes);
	double error;

	CHECK_RET(0, drive(&how, t, 1, &coded));
	CHECK_RET(0, driven_decode(&coded, (struct way){ .level = dfs_cpu_best() }, got));
	error = matrix_error(t, got);
	*ret_bits = 8 * (double)driven_bytes(&coded) / (double)t->n;
	driven_free(&coded);
	free(got);
	return error;
}

/* Of a normal difference the mean absolute value keeps 2 / pi of the energy, the best that signs can do. */
static void error_and_size_are_those_of_theory(void **state)
{
	struct matrix t = matrix_new(DFS_BF16, 1024, 1024), f32 = matrix_new(DFS_F32, 1024, 1024);
	double error, last = 1, bits;
	char options[16];
	(void)state;

	matrix_fill(&t, GAUSSIAN | ALONE, 0.01, 5);
	for (unsigned i = 0; i < 3; i++) {
		snprintf(options, sizeof(options), "scale=%s", scales[i]);
		error = error_of(&t, options, &bits);
		CHECK(fabs(error - (1 - 2 / M_PI)) < 0.003);
		CHECK(16 / bits >= 15.6);
	}
	matrix_fill(&f32, GAUSSIAN | ALONE, 0.01, 6);
	for (unsigned k = 1; k <= 8; k++) {
		snprintf(options, sizeof(options), "k=%u", k);
		error = error_of(&f32, options, &bits);
		CHECK(error < last);
		/* an F16 a row and round; a container's records */
		CHECK(bits < k * (1 + 16.0 / 1024) + 0.006);
		last = error;
	}
	matrix_free(&t);
	matrix_free(&f32);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(it_decodes_to_what_it_is_defined_to),
	cmocka_unit_test(two_codings_and_two_cuts_give_the_same_bytes),
	cmocka_unit_test(degenerate_differences),
	cmocka_unit_test(a_scale_that_no_f16_holds_is_cut_off),
	cmocka_unit_test(special_predictions),
	cmocka_unit_test(error_and_size_are_those_of_theory),
};

CHECK_MAIN(cases)
