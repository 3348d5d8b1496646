/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_delta_dct: delta-dct, driven as an encoder and a reader would. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "driven.h"

#define DCT DFS_CODEC_DELTA_DCT

static uint8_t *room(size_t len)
{
	uint8_t *p = calloc(1, len);

	CHECK(p);
	return p;
}

struct likeness {
	double cosine, magnitude;	/* made over given */
};

static struct likeness compare(const struct matrix *m, const uint8_t *out)
{
	float *given = matrix_deltas(m, m->data), *made = matrix_deltas(m, out);
	double ab = 0, aa = 0, bb = 0, a = 0, b = 0;

	for (size_t i = 0; i < m->n; i++) {
		ab += (double)given[i] * made[i];
		aa += (double)given[i] * given[i];
		bb += (double)made[i] * made[i];
		a += fabs(given[i]);
		b += fabs(made[i]);
	}
	free(given);
	free(made);
	return (struct likeness){ aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : aa == bb, a > 0 ? b / a : b == 0 };
}

static int encode(const char *options, const struct matrix *m, struct driven *d)
{
	return drive(&(struct driver){ .codec = DCT, .options = options }, m, 1, d);
}

/* Codes it twice, in both orders. Return: what was decoded; cosine -2: it is declined. */
static struct likeness round_trip(const char *options, const struct matrix *m)
{
	struct driven d, again;
	struct likeness like;
	uint8_t *out;

	if (encode(options, m, &d) == -ERANGE) {
		driven_free(&d);
		return (struct likeness){ .cosine = -2 };
	}
	CHECK_RET(0, drive(&(struct driver){ .codec = DCT, .options = options, .backwards = true }, m, 1, &again));
	CHECK(driven_same(&d, &again));
	CHECK(driven_shrinks(&d));
	out = room(m->bytes);
	driven_decode_alike(&d, out);
	like = compare(m, out);
	free(out);
	driven_free(&d);
	driven_free(&again);
	return like;
}

static void shapes_and_dtypes_come_back(void **state)
{
	static const struct { uint64_t rows, cols; } shapes[] = {
		{ 16, 16 }, { 64, 64 }, { 17, 33 }, { 100, 70 }, { 129, 1024 }, { 5, 3000 }, { 3000, 5 }, { 31, 517 },
		{ 130, 1100 },
	};
	static const unsigned dtypes[] = { DFS_BF16, DFS_F16, DFS_F32 };
	static const char *const options[] = { "bits=8:1,p=8", "bits=8:0.5/7:0.5,p=16,codes=16",
					       "bits=6:1,p=32", "bits=5:1,p=64", "bits=8:1,p=16,levels=minmax" };
	unsigned taken = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(*shapes) * 3; i++) {
		struct matrix m = matrix_make(dtypes[i % 3], shapes[i / 3].rows, shapes[i / 3].cols, GAUSSIAN, 1e-3, i);

		for (unsigned k = 0; k < 5; k++) {
			struct likeness like = round_trip(options[k], &m);

			if (like.cosine == -2)
				continue;
			/* BF16 rounds these sums by up to a tenth of the difference */
			CHECK(like.cosine > (m.shape.dtype == DFS_BF16 ? 0.99 : 0.998));
			CHECK(fabs(like.magnitude - 1) < 0.01);
			taken++;
		}
		matrix_free(&m);
	}
	CHECK(taken > 45);
}

/* Its bytes are then less than half, whatever the shape. */
static void odd_shapes_are_taken_where_that_makes_sense(void **state)
{
	static const struct { unsigned dtype; uint64_t rows, cols; const char *options; bool taken; } shapes[] = {
		{ DFS_BF16, 1, 1000, "p=8", true }, { DFS_BF16, 1, 1000, "", false }, { DFS_BF16, 1000, 1, "p=8", true },
		{ DFS_F32, 1, 1024, "", true }, { DFS_BF16, 1, 1, "p=8", false }, { DFS_BF16, 4, 4, "", false },
		{ DFS_BF16, 40, 40, "p=64", true }, { DFS_BF16, 7, 200, "p=8", true },
		{ DFS_BF16, 1 << 20, 1 << 20, "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct dfs_shape shape = { .dtype = (uint8_t)shapes[i].dtype, .rows = shapes[i].rows, .cols = shapes[i].cols };
		uint8_t options[DFS_LOSSY_OPTIONS_MAX];
		struct matrix m;

		CHECK_RET(0, dfs_lossy_parse(dfs_lossy_find(DCT), shapes[i].options, options, NULL));
		CHECK(dfs_lossy_find(DCT)->takes(options, shape) == shapes[i].taken);
		if (!shapes[i].taken)
			continue;
		m = matrix_make(shapes[i].dtype, shape.rows, shape.cols, GAUSSIAN, 1e-3, i);
		CHECK(round_trip(shapes[i].options, &m).cosine > 0.5);
		matrix_free(&m);
	}
}

/* What is lost of a normal difference is known: Max 1960, table 1. */
static void quantisers_lose_what_theory_says(void **state)
{
	static const struct { const char *options; double error, slack; } sets[] = {
		{ "bits=1:1", 0.3634, 0.004 }, { "bits=2:1", 0.1175, 0.003 }, { "bits=3:1", 0.03454, 0.001 },
		{ "bits=4:1", 0.009497, 0.0005 }, { "bits=5:1,p=32", 0.002499, 0.0003 },
		{ "bits=1:1,p=64,codes=16", 0.3634, 0.004 }, { "bits=2:1,p=8,codes=16", 0.1175, 0.004 },
	};
	struct matrix m = matrix_make(DFS_F32, 512, 512, GAUSSIAN, 1e-3, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		struct likeness like = round_trip(sets[i].options, &m);

		CHECK(fabs(1 - like.cosine * like.cosine - sets[i].error) < sets[i].slack);
		CHECK(fabs(like.magnitude - 1) < 1e-4);
	}
	matrix_free(&m);
}

/* The scale restores the mean magnitude, whatever was given up. */
static void mean_magnitude_is_restored(void **state)
{
	static const char *const options[] = { "", "codes=16", "levels=minmax", "levels=minmax,codes=16", "p=8", "p=32",
					       "p=64", "bits=2:0.34/1:0.33/0:0.33", "bits=0:1" };
	struct matrix m = matrix_make(DFS_F32, 300, 500, PATCHY, 1e-3, 2);

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		CHECK(fabs(round_trip(options[i], &m).magnitude - 1) < 1e-4);
	matrix_free(&m);
}

/* Ranked here by counting, from sums of squares in another order. */
static void classes_follow_the_norms(void **state)
{
	enum { P = 16, ROWS = 200, COLS = 330, ACROSS = 21, DOWN = 13 };
	struct matrix m = matrix_make(DFS_F32, ROWS, COLS, PATCHY, 1e-3, 3);
	float *delta = matrix_deltas(&m, m.data);
	double norms[ACROSS * DOWN] = { 0 };
	struct driven d;
	size_t patch = 0;

	(void)state;
	CHECK_RET(0, encode("bits=2:0.34/1:0.33/0:0.33", &m, &d));
	for (size_t i = m.n; i-- > 0;)
		norms[i / COLS / P * ACROSS + i % COLS / P] += (double)delta[i] * delta[i];
	for (size_t i = 0; i < d.n_chunks; i++) {
		size_t rows = d.chunks[i].n / COLS, n = (rows + P - 1) / P * ACROSS;

		for (size_t k = 0; k < n; k++, patch++) {
			unsigned class = d.chunks[i].payload[k / 4] >> k % 4 * 2 & 3;
			double before = 0;

			for (size_t other = 0; other < ACROSS * DOWN; other++)
				before += norms[other] > norms[patch];
			/* 257.8 patches of values: 87.72 and 172.86 of 258 */
			CHECK((int)class == (before >= 88) + (before >= 173));
		}
	}
	CHECK(patch == ACROSS * DOWN);
	free(delta);
	driven_free(&d);
	matrix_free(&m);
}

/* Patches without bits are flat, and their mean is that of the values that there are. */
static void patches_without_bits_are_their_mean(void **state)
{
	enum { P = 8, ROWS = 30, COLS = 50 };
	struct matrix m = matrix_make(DFS_F32, ROWS, COLS, PATCHY, 1e-3, 4);
	struct driven d;
	float *delta = matrix_deltas(&m, m.data), *made;
	double given[4 * 7] = { 0 }, largest = 0, sum = 0, made_sum = 0;
	uint8_t *out;

	(void)state;
	for (size_t i = 0; i < m.n; i++)
		given[i / COLS / P * 7 + i % COLS / P] += delta[i];
	for (size_t i = 0; i < 28; i++) {
		given[i] /= (double)((i / 7 == 3 ? 6 : 8) * (i % 7 == 6 ? 2 : 8));
		largest = fmax(largest, fabs(given[i]));
	}
	CHECK_RET(0, encode("p=8,bits=0:1", &m, &d));
	out = room(m.bytes);
	driven_decode_alike(&d, out);
	made = matrix_deltas(&m, out);
	for (size_t i = 0; i < m.n; i++) {
		sum += fabs(delta[i]);
		made_sum += fabs(rint(given[i / COLS / P * 7 + i % COLS / P] / largest * 127) * largest / 127);
	}
	for (size_t i = 0; i < m.n; i++) {
		double mean = given[i / COLS / P * 7 + i % COLS / P];

		/* half a step of 127, and what the sum with a prediction of 0.1 rounds */
		CHECK(fabs(made[i] - mean * sum / made_sum) <= largest / 254 * sum / made_sum * 1.001 + 1e-8);
	}
	free(out);
	free(made);
	free(delta);
	driven_free(&d);
	matrix_free(&m);
}

/*
 * A row of patches: large ones, which get the bits, and between them ones of +-1 of
 * which a few more are +, or twice as many. The first are by chance what they are.
 */
static void a_mean_of_chance_is_none(void **state)
{
	enum { P = 16, PATCHES = 16 };
	static const struct { const char *options; bool kept; } sets[] = {
		{ "", false }, { "codes=16", false }, { "levels=minmax", true }, { "levels=minmax,codes=16", true },
		/* 4 and 3 of the 16 patches have bits */
		{ "bits=2:0.25/0:0.75", false }, { "bits=2:0.19/0:0.81", true },
	};
	struct matrix m = matrix_new(DFS_F32, P, P * PATCHES);
	float *delta = (void *)room(m.n * sizeof(*delta));

	(void)state;
	for (size_t i = 0; i < m.n; i++) {
		size_t patch = i % m.shape.cols / P, at = i / m.shape.cols * P + i % P;
		size_t plus = patch % 4 == 1 ? 132 : patch % 4 == 3 ? 170 : 128;

		delta[i] = (at * 37 % 256 < plus ? 1e-3f : -1e-3f) * (patch % 2 ? 1 : 10);
	}
	matrix_add(&m, delta);
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		uint8_t *out = room(m.bytes);
		float *made;
		struct driven d;

		CHECK_RET(0, encode(sets[i].options, &m, &d));
		driven_decode_alike(&d, out);
		made = matrix_deltas(&m, out);
		CHECK((made[P] != 0) == sets[i].kept && made[P * 5] == made[P]);
		CHECK(made[P * 3] > 0.2e-3f && made[P * 7] == made[P * 3]);
		free(made);
		free(out);
		driven_free(&d);
	}
	free(delta);
	matrix_free(&m);
}

/* No sum of nine values is beyond three standard errors: edges of few values have the mean that they have. */
static void a_mean_of_few_is_theirs(void **state)
{
	enum { ROWS = 64, COLS = 65 };
	struct matrix m = matrix_make(DFS_F32, ROWS, COLS, GAUSSIAN, 1e-3, 6);
	float *delta = matrix_deltas(&m, m.data), *made;
	uint8_t *out = room(m.bytes);
	struct driven d;

	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		delta[i * COLS + COLS - 1] = 5e-4f;
	matrix_add(&m, delta);
	CHECK_RET(0, encode("p=8", &m, &d));
	driven_decode_alike(&d, out);
	made = matrix_deltas(&m, out);
	for (size_t i = 0; i < ROWS; i++)
		CHECK(made[i * COLS + COLS - 1] > 3e-4f);
	free(made);
	free(delta);
	free(out);
	driven_free(&d);
	matrix_free(&m);
}

static void shrink(struct matrix *m, int exponent)
{
	for (size_t i = 0; i < m->n; i++) {
		float value;

		memcpy(&value, m->data + 4 * i, sizeof(value));
		value = ldexpf(value, exponent);
		memcpy(m->data + 4 * i, &value, sizeof(value));
	}
}

static void degenerate_differences(void **state)
{
	static const char *const options[] = { "", "codes=16", "levels=minmax", "levels=minmax,codes=16", "bits=1:1" };

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		struct matrix zero = matrix_make(DFS_BF16, 100, 100, ZERO, 0, i);
		struct matrix same = matrix_make(DFS_F32, 100, 100, ONE_VALUE, 0x1p-8, i);
		struct matrix large = matrix_make(DFS_F32, 100, 100, GAUSSIAN, 1e-3 * 0x1p80, i);
		struct matrix small = matrix_make(DFS_F32, 100, 100, ZERO, 0, i);
		struct matrix beyond = matrix_make(DFS_F32, 100, 100, GAUSSIAN, 1e-3 * 0x1p100, i);
		struct driven d;

		CHECK(round_trip(options[i], &zero).magnitude == 1);
		CHECK(fabs(round_trip(options[i], &same).magnitude - 1) < 1e-3);
		CHECK(round_trip(options[i], &large).cosine > 0.5);
		memset(small.pred, 0, small.bytes);
		shrink(&small, -110);
		CHECK(round_trip(options[i], &small).cosine > 0.5);
		shrink(&small, -22);	/* subnormal ones too */
		CHECK(round_trip(options[i], &small).cosine > 0.2);
		CHECK_RET(-ERANGE, encode(options[i], &beyond, &d));
		driven_free(&d);
		matrix_free(&zero);
		matrix_free(&same);
		matrix_free(&large);
		matrix_free(&small);
		matrix_free(&beyond);
	}
}

static void real_sizes(void **state)
{
	static const struct { const char *options; double even, uneven; } sets[] = {
		{ "", 15.0, 15.0 }, { "levels=minmax", 14.4, 14.4 }, { "levels=minmax,codes=16", 14.4, 14.4 },
		{ "p=32", 15.4, 15.4 }, { "p=32,levels=minmax,codes=16", 15.4, 15.4 }, { "p=64", 15.8, 15.7 },
	};
	static const uint64_t sides[][2] = { { 1024, 1024 }, { 1025, 1027 }, { 1025, 4097 }, { 1033, 1031 }, { 1056, 1057 } };

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		for (size_t k = 0; k < sizeof(sides) / sizeof(*sides); k++) {
			struct matrix m = matrix_make(DFS_BF16, sides[k][0], sides[k][1], PATCHY, 1e-3, 5);
			struct driven d;
			double ratio, must = k ? sets[i].uneven : sets[i].even;

			CHECK_RET(0, encode(sets[i].options, &m, &d));
			ratio = (double)m.bytes / (double)driven_bytes(&d);
			if (ratio < must)
				print_error("%s, %zu x %zu: %.3f\n", sets[i].options, (size_t)sides[k][0], (size_t)sides[k][1], ratio);
			CHECK(ratio >= must);
			CHECK(k || d.tensor.chunk_rows == 128);
			driven_free(&d);
			matrix_free(&m);
		}
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(shapes_and_dtypes_come_back),
	cmocka_unit_test(odd_shapes_are_taken_where_that_makes_sense),
	cmocka_unit_test(quantisers_lose_what_theory_says),
	cmocka_unit_test(mean_magnitude_is_restored),
	cmocka_unit_test(classes_follow_the_norms),
	cmocka_unit_test(patches_without_bits_are_their_mean),
	cmocka_unit_test(a_mean_of_chance_is_none),
	cmocka_unit_test(a_mean_of_few_is_theirs),
	cmocka_unit_test(degenerate_differences),
	cmocka_unit_test(real_sizes),
};

CHECK_MAIN(cases)
