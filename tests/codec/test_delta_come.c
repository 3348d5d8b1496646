/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_delta_come: what the page says of delta-come, and what the codec
 * promises: size, error against the best of that rank, equal bits everywhere.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "come.h"

#define CODEC DFS_CODEC_DELTA_COME

/* Decodes as the formula of the page says, value by value and bit for bit. */
static void decodes_as_written(const struct driven *d)
{
	uint8_t *want = come_formula(d), *got = malloc(d->matrix->bytes);

	driven_decode_alike(d, got);
	CHECK_BYTES(got, want, d->matrix->bytes);
	free(want);
	free(got);
}

/* The share of the differences' energy that is lost. */
static double lost(const struct driven *d)
{
	uint8_t *out = malloc(d->matrix->bytes);
	double error;

	CHECK_RET(0, driven_decode(d, (struct way){ .level = dfs_cpu_best() }, out));
	error = matrix_error(d->matrix, out);
	free(out);
	return error;
}

static void shapes_and_dtypes(void **state)
{
	static const struct { uint64_t rows, cols; const char *options; } shapes[] = {
		{ 16, 16, "" }, { 17, 300, "" }, { 300, 17, "" }, { 97, 131, "ratio=8" }, { 64, 64, "ratio=2" },
		{ 130, 65, "group=8" }, { 333, 257, "rounds=0" }, { 2, 5000, "ratio=2" }, { 9000, 3, "ratio=2" },
		{ 140, 160, "ratio=3,group=50" },
	};
	static const unsigned dtypes[] = { DFS_BF16, DFS_F16, DFS_F32 };

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes) * 3; i++) {
		struct model *m = come_model(shapes[i / 3].options, dtypes[i % 3], shapes[i / 3].rows, shapes[i / 3].cols,
					(struct come_matrix){ .rank = 2, .noise = 0.3 });

		CHECK(m->coded->lossy->takes(m->coded->options, m->coded->tensor.shape));
		CHECK_RET(0, model_code(m));
		decodes_as_written(m->coded);
		CHECK(lost(m->coded) < 0.9);
		model_free(m);
	}
}

static void same_bytes_again(void **state)
{
	struct model *a = come_model("", DFS_BF16, 200, 150, (struct come_matrix){ .rank = 3, .noise = 1 });
	struct model *b = come_model("", DFS_BF16, 200, 150, (struct come_matrix){ .rank = 3, .noise = 1 });

	(void)state;
	CHECK_RET(0, model_code(a));
	CHECK_RET(0, model_code(b));
	CHECK(driven_same(a->coded, b->coded));
	model_free(a);
	model_free(b);
}

/* In place, and where nothing is aligned. */
static void any_buffers(void **state)
{
	struct model *m = come_model("", DFS_F16, 61, 77, (struct come_matrix){ .rank = 3, .noise = 1 });
	uint8_t *want, *got = malloc(m->matrices->bytes);

	(void)state;
	CHECK_RET(0, model_code(m));
	want = come_formula(m->coded);
	for (unsigned level = 0; level < DFS_CPU_LEVELS; level++)
		for (unsigned off = 0; off < 4; off++) {
			CHECK_RET(0, driven_decode(m->coded, (struct way){ level, off, true }, got));
			CHECK_BYTES(got, want, m->matrices->bytes);
		}
	free(want);
	free(got);
	model_free(m);
}

/* The error is the best that a matrix of this rank allows, and what rounding adds: at most a tenth of the rest. */
static void near_the_best(void **state)
{
	static const struct { uint64_t rows, cols; double noise; } cases[] = {
		{ 120, 80, 0.1 }, { 80, 120, 0.1 }, { 96, 96, 1 }, { 160, 48, 0.01 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct model *m = come_model("rounds=4", DFS_F32, cases[i].rows, cases[i].cols,
					(struct come_matrix){ .rank = 5, .noise = cases[i].noise });
		float *delta = matrix_deltas(m->matrices, m->matrices->data);
		double best, error;

		CHECK_RET(0, model_code(m));
		best = come_best(delta, cases[i].rows, cases[i].cols, come_rank(m->coded));
		error = lost(m->coded);
		CHECK(error >= best * (1 - 1e-5));
		CHECK(error <= best + 0.1 * (1 - best));
		free(delta);
		model_free(m);
	}
}

/* Whole columns of zeros, few directions: no more columns than the matrix has, and those fine. */
static void few_directions(void **state)
{
	struct model *m = come_model("", DFS_F32, 256, 256, (struct come_matrix){ .rank = 3 });

	(void)state;
	CHECK_RET(0, model_code(m));
	CHECK(come_rank(m->coded) == 3);
	decodes_as_written(m->coded);
	CHECK(lost(m->coded) < 1e-3);
	model_free(m);
}

static void no_difference(void **state)
{
	struct model *m = model_new(CODEC, "");

	(void)state;
	model_add(m, DFS_BF16, 100, 60, ZERO, 0, 1);
	CHECK_RET(0, model_code(m));
	CHECK(m->coded->table.len == 8 && m->coded->chunks->len == 0);
	decodes_as_written(m->coded);
	CHECK(lost(m->coded) == 0);
	model_free(m);
}

/* One difference everywhere is one column, at any magnitude that S has room for. */
static void constant_differences(void **state)
{
	/* where S is not normal it has few bits, and the most that is lost is more */
	static const struct { float value; double most; int ret; } cases[] = {
		{ 1, 1e-6, 0 }, { -3e-7f, 1e-6, 0 }, { 1e-44f, 1.1, 0 }, { 1e-38f, 1e-3, 0 }, { 1e20f, 1e-6, 0 },
		{ 0x1p80f, 1e-6, 0 }, { 0x1p120f, 0, -ERANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct model *m = model_new(CODEC, "");

		model_add(m, DFS_F32, 90, 40, ONE_VALUE | ALONE, cases[i].value, 1);
		CHECK_RET(cases[i].ret, model_code(m));
		if (cases[i].ret == 0) {
			decodes_as_written(m->coded);
			CHECK(come_rank(m->coded) == 1);
			CHECK(lost(m->coded) < cases[i].most);
		}
		model_free(m);
	}
}

/* Rows that did not change stay as they are, whatever others did. */
static void untouched_rows(void **state)
{
	struct model *m = come_model("", DFS_F32, 128, 128, (struct come_matrix){ .rank = 4, .noise = 1 });
	const struct matrix *matrix = m->matrices;
	uint8_t *out = malloc(matrix->bytes);

	(void)state;
	memcpy(matrix->data, matrix->pred, 10 * 128 * matrix->unit);
	CHECK_RET(0, model_code(m));
	CHECK_RET(0, driven_decode(m->coded, (struct way){ .level = dfs_cpu_best() }, out));
	CHECK_BYTES(out, matrix->pred, 10 * 128 * matrix->unit);
	free(out);
	model_free(m);
}

/* deltafs's figure: 14.9 times smaller, everything counted. */
static void real_size(void **state)
{
	static const struct { uint64_t rows, cols; } shapes[] = { { 1024, 1024 }, { 2048, 1024 }, { 1024, 3072 } };

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct model *m = come_model("rounds=0", DFS_BF16, shapes[i].rows, shapes[i].cols,
					(struct come_matrix){ .rank = 1, .noise = 1 });

		CHECK_RET(0, model_code(m));
		CHECK(14.9 * (double)driven_bytes(m->coded) <= (double)m->matrices->bytes);
		model_free(m);
	}
}

static void what_is_not_taken(void **state)
{
	const struct dfs_lossy *lossy = dfs_lossy_find(CODEC);
	uint8_t options[DFS_LOSSY_OPTIONS_MAX];
	static const struct { uint64_t rows, cols; bool taken; } cases[] = {
		{ 1, 4096, false }, { 4096, 1, false }, { 1, 1, false }, { 15, 16, false }, { 16, 16, true },
		{ 8, 1u << 20, false }, { 64, 9u << 20, false }, { 1u << 20, 64, true },
	};

	(void)state;
	CHECK_RET(0, dfs_lossy_parse(lossy, "", options, NULL));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct dfs_shape shape = { .dtype = DFS_BF16, .rows = cases[i].rows, .cols = cases[i].cols };

		CHECK(lossy->takes(options, shape) == cases[i].taken);
	}
	CHECK_RET(-EINVAL, dfs_lossy_parse(lossy, "ratio=1", options, NULL));
	CHECK_RET(-EINVAL, dfs_lossy_parse(lossy, "group=4", options, NULL));
	CHECK_RET(-EINVAL, dfs_lossy_parse(lossy, "rounds=0.5", options, NULL));
}

/* A chunk has 256 KiB, or 64 rows if these have more, but 16 MiB at most. */
static void rows_of_a_chunk(void **state)
{
	const struct dfs_lossy *lossy = dfs_lossy_find(CODEC);
	static const struct { uint64_t rows, cols; uint32_t want; } cases[] = {
		{ 4096, 1024, 128 }, { 100, 1024, 100 }, { 4096, 4096, 64 }, { 4096, 1u << 18, 32 }, { 9, 1u << 23, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct dfs_shape shape = { .dtype = DFS_BF16, .rows = cases[i].rows, .cols = cases[i].cols };

		CHECK(lossy->chunk_rows(NULL, shape) == cases[i].want);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(shapes_and_dtypes),
	cmocka_unit_test(same_bytes_again),
	cmocka_unit_test(any_buffers),
	cmocka_unit_test(near_the_best),
	cmocka_unit_test(few_directions),
	cmocka_unit_test(no_difference),
	cmocka_unit_test(constant_differences),
	cmocka_unit_test(untouched_rows),
	cmocka_unit_test(real_size),
	cmocka_unit_test(what_is_not_taken),
	cmocka_unit_test(rows_of_a_chunk),
};

int main(int argc, char **argv)
{
	return come_main(cases, sizeof(cases) / sizeof(*cases), argc, argv);
}
