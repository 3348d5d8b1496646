/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_delta_come: what the page says of delta-come, and what the codec
 * promises: size, error against the best of that rank, equal bits everywhere.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "come_check.h"

#define CODEC DFS_CODEC_DELTA_COME

static struct drive *given(const char *options, unsigned dtype, uint64_t rows, uint64_t cols, struct come_matrix kind)
{
	struct drive *d = drive_new(CODEC, options, dtype, rows, cols, 0);
	float *delta = come_matrix(rows, cols, kind);

	drive_set(d, delta);
	free(delta);
	return d;
}

/* Decodes as the formula of the page says, value by value and bit for bit. */
static void decodes_as_written(struct drive *d)
{
	uint8_t *want = come_formula(d), *got = malloc(d->tensor.values * d->unit);

	for (int level = 0; level < DFS_CPU_LEVELS; level++) {
		memset(got, 0x5a, d->tensor.values * d->unit);
		CHECK_OK(drive_decode(d, level, got), d->err);
		CHECK_BYTES(got, want, d->tensor.values * d->unit);
	}
	free(want);
	free(got);
}

/* The share of the differences' energy that is lost. */
static double lost(struct drive *d)
{
	uint8_t *out = malloc(d->tensor.values * d->unit);
	float *delta = drive_delta(d), *before = drive_floats(d, d->pred), *after;
	double error = 0, all = 0;

	CHECK_OK(drive_decode(d, dfs_cpu_best(), out), d->err);
	after = drive_floats(d, out);
	for (uint64_t i = 0; i < d->tensor.values; i++) {
		double off = (double)after[i] - before[i] - delta[i];

		error += off * off;
		all += (double)delta[i] * delta[i];
	}
	free(out);
	free(delta);
	free(before);
	free(after);
	return all > 0 ? error / all : error;
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
		struct drive *d = given(shapes[i / 3].options, dtypes[i % 3], shapes[i / 3].rows, shapes[i / 3].cols,
					(struct come_matrix){ .rank = 2, .noise = 0.3 });

		CHECK(d->lossy->takes(d->options, d->tensor.shape));
		CHECK_OK(drive_encode(d), d->err);
		decodes_as_written(d);
		CHECK(lost(d) < 0.9);
		drive_free(d);
	}
}

static void same_bytes_again(void **state)
{
	struct drive *a = given("", DFS_BF16, 200, 150, (struct come_matrix){ .rank = 3, .noise = 1 });
	struct drive *b = given("", DFS_BF16, 200, 150, (struct come_matrix){ .rank = 3, .noise = 1 });

	(void)state;
	CHECK_OK(drive_encode(a), a->err);
	CHECK_OK(drive_encode(b), b->err);
	CHECK(a->table.len == b->table.len);
	CHECK_BYTES(a->table.data, b->table.data, a->table.len);
	for (size_t i = 0; i < a->chunks; i++) {
		CHECK(a->lens[i] == b->lens[i]);
		CHECK_BYTES(a->payloads[i], b->payloads[i], a->lens[i]);
	}
	drive_free(a);
	drive_free(b);
}

/* In place, and where nothing is aligned. */
static void any_buffers(void **state)
{
	struct drive *d = given("", DFS_F16, 61, 77, (struct come_matrix){ .rank = 3, .noise = 1 });
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct dfs_block b = drive_block(d, 0);
	size_t bytes = b.n * d->unit;
	uint8_t *want, *place = malloc(bytes + DFS_VALUES_PAD + 3), *payload;
	struct dfs_table *table;

	(void)state;
	CHECK_OK(drive_encode(d), d->err);
	want = come_formula(d);
	payload = malloc(d->lens[0] + DFS_PAYLOAD_PAD + 1);
	memcpy(payload + 1, d->payloads[0], d->lens[0] + DFS_PAYLOAD_PAD);
	CHECK_OK(d->lossy->codec->table_open(b.shape, (struct dfs_span){ d->table.data, d->table.len }, false, &table,
					     &d->err), d->err);
	for (int level = 0; level < DFS_CPU_LEVELS; level++)
		for (int off = 0; off < 4; off++) {
			memcpy(place + off, d->pred, bytes);
			b.pred = place + off;
			dfs_scratch_set_cpu(scratch, level);
			CHECK_OK(d->lossy->codec->decode(&b, (struct dfs_span){ payload + 1, d->lens[0] }, table,
							 place + off, scratch, &d->err), d->err);
			CHECK_BYTES(place + off, want, bytes);
		}
	dfs_table_close(table);
	dfs_scratch_free(scratch);
	free(want);
	free(place);
	free(payload);
	drive_free(d);
}

/* The error is the best that a matrix of this rank allows, and what rounding adds: at most a tenth of the rest. */
static void near_the_best(void **state)
{
	static const struct { uint64_t rows, cols; double noise; } cases[] = {
		{ 120, 80, 0.1 }, { 80, 120, 0.1 }, { 96, 96, 1 }, { 160, 48, 0.01 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct drive *d = given("rounds=4", DFS_F32, cases[i].rows, cases[i].cols,
					(struct come_matrix){ .rank = 5, .noise = cases[i].noise });
		float *delta = drive_delta(d);
		double best, error;

		CHECK_OK(drive_encode(d), d->err);
		best = come_best(delta, cases[i].rows, cases[i].cols, come_rank(d));
		error = lost(d);
		CHECK(error >= best * (1 - 1e-5));
		CHECK(error <= best + 0.1 * (1 - best));
		free(delta);
		drive_free(d);
	}
}

/* Whole columns of zeros, few directions: no more columns than the matrix has, and those fine. */
static void few_directions(void **state)
{
	struct drive *d = given("", DFS_F32, 256, 256, (struct come_matrix){ .rank = 3 });

	(void)state;
	CHECK_OK(drive_encode(d), d->err);
	CHECK(come_rank(d) == 3);
	decodes_as_written(d);
	CHECK(lost(d) < 1e-3);
	drive_free(d);
}

static void fill_with(struct drive *d, float value)
{
	float *delta = malloc(d->tensor.values * sizeof(*delta));

	memset(d->pred, 0, d->tensor.values * d->unit);
	for (uint64_t i = 0; i < d->tensor.values; i++)
		delta[i] = value;
	drive_set(d, delta);
	free(delta);
}

static void no_difference(void **state)
{
	struct drive *d = drive_new(CODEC, "", DFS_BF16, 100, 60, 0);

	(void)state;
	CHECK_OK(drive_encode(d), d->err);
	CHECK(d->table.len == 8 && d->lens[0] == 0);
	decodes_as_written(d);
	CHECK(lost(d) == 0);
	drive_free(d);
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
		struct drive *d = drive_new(CODEC, "", DFS_F32, 90, 40, 0);

		fill_with(d, cases[i].value);
		CHECK_RET(cases[i].ret, drive_encode(d));
		if (cases[i].ret == 0) {
			decodes_as_written(d);
			CHECK(come_rank(d) == 1);
			CHECK(lost(d) < cases[i].most);
		}
		drive_free(d);
	}
}

/* Rows that did not change stay as they are, whatever others did. */
static void untouched_rows(void **state)
{
	struct drive *d = given("", DFS_F32, 128, 128, (struct come_matrix){ .rank = 4, .noise = 1 });
	uint8_t *out = malloc(d->tensor.values * d->unit);

	(void)state;
	memcpy(d->data, d->pred, 10 * 128 * d->unit);
	CHECK_OK(drive_encode(d), d->err);
	CHECK_OK(drive_decode(d, dfs_cpu_best(), out), d->err);
	CHECK_BYTES(out, d->pred, 10 * 128 * d->unit);
	free(out);
	drive_free(d);
}

/* deltafs's figure: 14.9 times smaller, everything counted. */
static void real_size(void **state)
{
	static const struct { uint64_t rows, cols; } shapes[] = { { 1024, 1024 }, { 2048, 1024 }, { 1024, 3072 } };

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct drive *d = given("rounds=0", DFS_BF16, shapes[i].rows, shapes[i].cols,
					(struct come_matrix){ .rank = 1, .noise = 1 });

		CHECK_OK(drive_encode(d), d->err);
		CHECK(14.9 * (double)drive_bytes(d) <= 2 * (double)d->tensor.values);
		drive_free(d);
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
