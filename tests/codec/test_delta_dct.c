/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_delta_dct: delta-dct, driven as an encoder and a reader would. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "driven.h"

#define DCT DFS_CODEC_DELTA_DCT

static double normal(uint64_t *state, uint64_t row, uint64_t col)
{
	(void)row;
	(void)col;
	return 1e-3 * draw_normal(state);
}

/* Patches of 16 differ in size, by up to eight times. */
static double patchy(uint64_t *state, uint64_t row, uint64_t col)
{
	return 1e-3 * (double)(1 + (row / 16 * 7 + col / 16 * 5) % 8) * draw_normal(state);
}

static double nothing(uint64_t *state, uint64_t row, uint64_t col)
{
	(void)state;
	(void)row;
	(void)col;
	return 0;
}

static double one_value(uint64_t *state, uint64_t row, uint64_t col)
{
	(void)state;
	(void)row;
	(void)col;
	return 0x1p-8;
}

static double huge(uint64_t *state, uint64_t row, uint64_t col)
{
	return 0x1p80 * normal(state, row, col);
}

static double too_huge(uint64_t *state, uint64_t row, uint64_t col)
{
	return 0x1p100 * normal(state, row, col);
}

static uint8_t *room(size_t len)
{
	uint8_t *p = calloc(1, len);

	CHECK(p);
	return p;
}

/* Differences between what is in @values and the prediction. */
static float *delta_of(const struct matrix *m, const uint8_t *values)
{
	float *delta = (float *)room(m->values * sizeof(*delta));

	CHECK(dfs_delta(m->shape.dtype, values, m->pred, delta, m->values));
	return delta;
}

struct likeness {
	double cosine, magnitude;	/* made over given */
};

static struct likeness compare(const struct matrix *m, const uint8_t *out)
{
	float *given = delta_of(m, m->data), *made = delta_of(m, out);
	double ab = 0, aa = 0, bb = 0, a = 0, b = 0;

	for (size_t i = 0; i < m->values; i++) {
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

/* What all levels decode alike, in place and at any address. */
static uint8_t *decode_everywhere(const struct driven *d, const struct matrix *m)
{
	uint8_t *first = room(m->bytes + DFS_VALUES_PAD), *other = room(m->bytes + DFS_VALUES_PAD + 1);
	struct matrix here = *m;

	CHECK_RET(0, driven_decode(d, m, DFS_CPU_PORTABLE, first));
	for (unsigned level = 0; level < DFS_CPU_LEVELS; level++)
		for (unsigned shift = 0; shift < 2; shift++) {
			CHECK_RET(0, driven_decode(d, m, level, other + shift));
			CHECK_BYTES(other + shift, first, m->bytes);
			memcpy(other + shift, m->pred, m->bytes);
			here.pred = other + shift;
			CHECK_RET(0, driven_decode(d, &here, level, other + shift));
			CHECK_BYTES(other + shift, first, m->bytes);
		}
	free(other);
	return first;
}

static void same_bytes(const struct driven *a, const struct driven *b)
{
	CHECK(a->table.len == b->table.len && a->n_chunks == b->n_chunks);
	CHECK_BYTES(a->table.data, b->table.data, a->table.len);
	for (size_t i = 0; i < a->n_chunks; i++) {
		CHECK(a->lens[i] == b->lens[i]);
		CHECK_BYTES(a->payloads[i], b->payloads[i], a->lens[i]);
	}
}

/* Codes it twice, in both orders. Return: what was decoded; cosine -2: it is declined. */
static struct likeness round_trip(const char *options, const struct matrix *m)
{
	struct driven d, again;
	struct likeness like;
	uint8_t *out;

	int ret = driven_encode(DCT, options, m, dfs_cpu_best(), false, &d);

	if (ret == -ERANGE) {
		driven_free(&d);
		return (struct likeness){ .cosine = -2 };
	}
	CHECK_RET(0, ret);
	CHECK_RET(0, driven_encode(DCT, options, m, dfs_cpu_best(), true, &again));
	same_bytes(&d, &again);
	for (size_t i = 0; i < d.n_chunks; i++)
		CHECK(d.lens[i] <= driven_block(&d, i, m->pred).n * dfs_dtype_info(m->shape.dtype)->size);
	out = decode_everywhere(&d, m);
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
		struct matrix m = matrix_make(dtypes[i % 3], shapes[i / 3].rows, shapes[i / 3].cols, normal, i);

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
		m = matrix_make(shapes[i].dtype, shape.rows, shape.cols, normal, i);
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
	struct matrix m = matrix_make(DFS_F32, 512, 512, normal, 1);

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
	struct matrix m = matrix_make(DFS_F32, 300, 500, patchy, 2);

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		CHECK(fabs(round_trip(options[i], &m).magnitude - 1) < 1e-4);
	matrix_free(&m);
}

/* Ranked here by counting, from sums of squares in another order. */
static void classes_follow_the_norms(void **state)
{
	enum { P = 16, ROWS = 200, COLS = 330, ACROSS = 21, DOWN = 13 };
	struct matrix m = matrix_make(DFS_F32, ROWS, COLS, patchy, 3);
	float *delta = delta_of(&m, m.data);
	double norms[ACROSS * DOWN] = { 0 };
	struct driven d;
	size_t patch = 0;

	(void)state;
	CHECK_RET(0, driven_encode(DCT, "bits=2:0.34/1:0.33/0:0.33", &m, dfs_cpu_best(), false, &d));
	for (size_t i = m.values; i-- > 0;)
		norms[i / COLS / P * ACROSS + i % COLS / P] += (double)delta[i] * delta[i];
	for (size_t i = 0; i < d.n_chunks; i++) {
		size_t rows = driven_block(&d, i, m.pred).n / COLS, n = (rows + P - 1) / P * ACROSS;

		for (size_t k = 0; k < n; k++, patch++) {
			unsigned class = d.payloads[i][k / 4] >> k % 4 * 2 & 3;
			double before = 0;

			for (size_t other = 0; other < ACROSS * DOWN; other++)
				before += norms[other] > norms[patch];
			/* 273 patches: 92.82 and 182.91 of them */
			CHECK((int)class == (before >= 93) + (before >= 183));
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
	struct matrix m = matrix_make(DFS_F32, ROWS, COLS, patchy, 4);
	struct driven d;
	float *delta = delta_of(&m, m.data), *made;
	double given[4 * 7] = { 0 }, largest = 0, sum = 0, made_sum = 0;
	uint8_t *out;

	(void)state;
	for (size_t i = 0; i < m.values; i++)
		given[i / COLS / P * 7 + i % COLS / P] += delta[i];
	for (size_t i = 0; i < 28; i++) {
		given[i] /= (double)((i / 7 == 3 ? 6 : 8) * (i % 7 == 6 ? 2 : 8));
		largest = fmax(largest, fabs(given[i]));
	}
	CHECK_RET(0, driven_encode(DCT, "p=8,bits=0:1", &m, dfs_cpu_best(), false, &d));
	out = decode_everywhere(&d, &m);
	made = delta_of(&m, out);
	for (size_t i = 0; i < m.values; i++) {
		sum += fabs(delta[i]);
		made_sum += fabs(rint(given[i / COLS / P * 7 + i % COLS / P] / largest * 127) * largest / 127);
	}
	for (size_t i = 0; i < m.values; i++) {
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

static void shrink(struct matrix *m, int exponent)
{
	for (size_t i = 0; i < m->values; i++) {
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
		struct matrix zero = matrix_make(DFS_BF16, 100, 100, nothing, i);
		struct matrix same = matrix_make(DFS_F32, 100, 100, one_value, i);
		struct matrix large = matrix_make(DFS_F32, 100, 100, huge, i);
		struct matrix small = matrix_make(DFS_F32, 100, 100, nothing, i);
		struct matrix beyond = matrix_make(DFS_F32, 100, 100, too_huge, i);
		struct driven d;

		CHECK(round_trip(options[i], &zero).magnitude == 1);
		CHECK(fabs(round_trip(options[i], &same).magnitude - 1) < 1e-3);
		CHECK(round_trip(options[i], &large).cosine > 0.5);
		memset(small.pred, 0, small.bytes);
		shrink(&small, -110);
		CHECK(round_trip(options[i], &small).cosine > 0.5);
		shrink(&small, -22);	/* subnormal ones too */
		CHECK(round_trip(options[i], &small).cosine > 0.2);
		CHECK_RET(-ERANGE, driven_encode(DCT, options[i], &beyond, dfs_cpu_best(), false, &d));
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
	static const struct { const char *options; double ratio; } sets[] = {
		{ "", 15.0 }, { "levels=minmax", 14.4 }, { "levels=minmax,codes=16", 14.4 }, { "p=32", 15.4 },
		{ "p=32,levels=minmax,codes=16", 15.4 }, { "p=64", 15.8 },
	};
	struct matrix m = matrix_make(DFS_BF16, 1024, 1024, patchy, 5);

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++) {
		struct driven d;

		CHECK_RET(0, driven_encode(DCT, sets[i].options, &m, dfs_cpu_best(), false, &d));
		CHECK((double)m.bytes / (double)driven_bytes(&d) >= sets[i].ratio);
		CHECK(d.tensor.chunk_rows == 128);
		driven_free(&d);
	}
	matrix_free(&m);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(shapes_and_dtypes_come_back),
	cmocka_unit_test(odd_shapes_are_taken_where_that_makes_sense),
	cmocka_unit_test(quantisers_lose_what_theory_says),
	cmocka_unit_test(mean_magnitude_is_restored),
	cmocka_unit_test(classes_follow_the_norms),
	cmocka_unit_test(patches_without_bits_are_their_mean),
	cmocka_unit_test(degenerate_differences),
	cmocka_unit_test(real_sizes),
};

CHECK_MAIN(cases)
