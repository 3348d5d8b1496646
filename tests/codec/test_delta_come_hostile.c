/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_delta_come_hostile: tables and payloads of delta-come that no encoder
 * wrote: refused, or decoded alike on every CPU, and nothing outside is
 * touched (the test means most under AddressSanitizer).
 */
#include <errno.h>
#include <stdlib.h>

#include "come_check.h"
#include "samples.h"

#define ROWS 37
#define COLS 41

static struct drive *given(unsigned dtype)
{
	struct drive *d = drive_new(DFS_CODEC_DELTA_COME, "group=8,ratio=6", dtype, ROWS, COLS, 16);
	float *delta = come_matrix(ROWS, COLS, (struct come_matrix){ .rank = 3, .noise = 1 });

	drive_set(d, delta);
	free(delta);
	CHECK_OK(drive_encode(d), d->err);
	return d;
}

/* Decodes on all levels. Return: 0 or -EUCLEAN, the same of all. */
static int levels_agree(struct drive *d)
{
	size_t bytes = d->tensor.values * d->unit;
	uint8_t *first = malloc(bytes), *other = malloc(bytes);
	int ret = drive_decode(d, DFS_CPU_PORTABLE, first);

	CHECK(ret == 0 || ret == -EUCLEAN);
	for (int level = 1; level < DFS_CPU_LEVELS; level++) {
		CHECK_RET(ret, drive_decode(d, level, other));
		if (ret == 0)
			CHECK_BYTES(other, first, bytes);
	}
	free(first);
	free(other);
	return ret;
}

static int open_table(struct drive *d, const uint8_t *bytes, size_t len)
{
	/* of just its length, so that a byte too far is seen */
	uint8_t *exact = malloc(len ? len : 1);
	struct dfs_table *table = NULL;
	int ret;

	memcpy(exact, bytes, len);
	ret = d->lossy->codec->table_open(d->tensor.shape, (struct dfs_span){ exact, len }, false, &table, &d->err);
	if (ret == 0)
		CHECK(dfs_table_size(table) < 64 * len + 65536);
	dfs_table_close(table);
	free(exact);
	return ret;
}

static void tables_of_other_lengths(void **state)
{
	struct drive *d = given(DFS_BF16);
	uint8_t *longer = calloc(1, d->table.len + 1);

	(void)state;
	memcpy(longer, d->table.data, d->table.len);
	CHECK_RET(0, open_table(d, longer, d->table.len));
	for (size_t len = 0; len < d->table.len; len++)
		CHECK_RET(-EUCLEAN, open_table(d, longer, len));
	CHECK_RET(-EUCLEAN, open_table(d, longer, d->table.len + 1));
	free(longer);
	drive_free(d);
}

/* Counts that the length does not fit, S that is negative, infinite, NaN or 2^90, bits behind the last code. */
static void tables_that_break_a_rule(void **state)
{
	static const uint32_t bad_s[] = { 0x80000000, 0xbf800000, 0x7f800000, 0x7fc00000, 0x6c800000 };
	struct drive *d = given(DFS_BF16);
	uint8_t *t = d->table.data;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		uint16_t was = dfs_get_u16le(t + 2 * i);

		dfs_put_u16le(t + 2 * i, i ? 0xffff : 0);
		CHECK_RET(-EUCLEAN, open_table(d, t, d->table.len));
		dfs_put_u16le(t + 2 * i, was);
	}
	for (unsigned i = 0; i < sizeof(bad_s) / sizeof(*bad_s); i++) {
		uint32_t was = dfs_get_u32le(t + 12);

		dfs_put_u32le(t + 12, bad_s[i]);
		CHECK_RET(-EUCLEAN, open_table(d, t, d->table.len));
		dfs_put_u32le(t + 12, was);
	}
	dfs_put_u32le(t + 12, 0x6c7fffff);
	CHECK_RET(0, open_table(d, t, d->table.len));
	drive_free(d);
}

static void flipped_tables(void **state)
{
	struct drive *d = given(DFS_F16);
	unsigned opened = 0, refused = 0;

	(void)state;
	for (size_t bit = 0; bit < 8 * d->table.len; bit += bit < 256 ? 1 : 37) {
		int ret;

		d->table.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ret = levels_agree(d);
		opened += ret == 0;
		refused += ret != 0;
		d->table.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CHECK(opened > 0 && refused > 0);
	drive_free(d);
}

/* Everything as large as the page allows: the sums stay finite, and the same everywhere. */
static void largest_table(void **state)
{
	static const unsigned dtypes[] = { DFS_BF16, DFS_F16, DFS_F32 };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct drive *d = given(dtypes[i]);
		uint64_t rank = come_rank(d);

		for (uint64_t k = 0; k < rank; k++)
			dfs_put_u32le(d->table.data + 8 + 4 * k, 0x6c7fffff);
		memset(d->table.data + 8 + 4 * rank, 0xff, d->table.len - 8 - 4 * rank);
		/* which also sets bits behind the codes, if there are any */
		levels_agree(d);
		drive_free(d);
	}
}

static void flipped_and_random_payloads(void **state)
{
	struct drive *d = given(DFS_BF16);
	uint64_t seed = 1;

	(void)state;
	for (size_t bit = 0; bit < 8 * d->lens[0]; bit += 13) {
		d->payloads[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
		levels_agree(d);
	}
	for (unsigned round = 0; round < 50; round++) {
		for (size_t i = 0; i < d->lens[1]; i++)
			d->payloads[1][i] = (uint8_t)random_next(&seed);
		levels_agree(d);
	}
	drive_free(d);
}

static void payloads_of_other_lengths(void **state)
{
	struct drive *d = given(DFS_F32);
	size_t len = d->lens[1];

	(void)state;
	for (size_t cut = 0; cut <= len + DFS_PAYLOAD_PAD / 2; cut++) {
		d->lens[1] = cut;
		CHECK_RET(cut == len ? 0 : -EUCLEAN, levels_agree(d));
	}
	drive_free(d);
}

/* A table without columns stands for no difference, and has no payload. */
static void empty_tables(void **state)
{
	struct drive *d = given(DFS_F32);
	uint8_t *out = malloc(d->tensor.values * d->unit);

	(void)state;
	memset(d->table.data + 2, 0, 6);
	d->table.len = 8;
	CHECK_RET(-EUCLEAN, levels_agree(d));
	for (size_t i = 0; i < d->chunks; i++)
		d->lens[i] = 0;
	CHECK_OK(drive_decode(d, dfs_cpu_best(), out), d->err);
	CHECK_BYTES(out, d->pred, d->tensor.values * d->unit);
	free(out);
	drive_free(d);
}

/* Chunks that are cut through rows, as a container without chunk_rows has them. */
static void chunks_of_parts_of_rows(void **state)
{
	struct drive *d = given(DFS_BF16);
	struct dfs_scratch *scratch = dfs_scratch_new();
	uint8_t *out = malloc(d->tensor.values * d->unit + DFS_VALUES_PAD);
	struct dfs_table *table;

	(void)state;
	CHECK_RET(0, d->lossy->codec->table_open(d->tensor.shape, (struct dfs_span){ d->table.data, d->table.len },
						 false, &table, &d->err));
	for (uint64_t first = 0; first < 2; first++)
		for (size_t n = 16 * COLS - 1; n <= 16 * COLS + 1; n++) {
			struct dfs_block b = { d->tensor.shape, first, n, d->pred };
			struct dfs_span payload = { d->payloads[0], d->lens[0] };

			CHECK_RET(first == 0 && n == 16 * COLS ? 0 : -EUCLEAN,
				  d->lossy->codec->decode(&b, payload, table, out, scratch, &d->err));
		}
	dfs_table_close(table);
	dfs_scratch_free(scratch);
	free(out);
	drive_free(d);
}

/* Two scales and 13 bits of codes: a column of each class. */
#define ROW_LEN 4

static void random_rows(uint8_t *to, size_t n, uint64_t *seed)
{
	for (size_t i = 0; i < n * ROW_LEN; i++)
		to[i] = (uint8_t)(random_next(seed) & (i % ROW_LEN == ROW_LEN - 1 ? 0x1f : 0xff));
}

/* Tensors of one row or one column are not written, but may be read: a table and a payload made by hand. */
static void one_row_and_one_column(void **state)
{
	(void)state;
	for (unsigned row = 0; row < 2; row++) {
		struct drive *d = drive_new(DFS_CODEC_DELTA_COME, "", DFS_F32, row ? 1 : 70, row ? 70 : 1, 70);
		size_t cols = (size_t)d->tensor.shape.cols, rows = 71 - cols;
		uint8_t *t = dfs_buf_extend(&d->table, 20 + cols * ROW_LEN), *got = malloc(70 * 4), *want;
		uint64_t seed = row;

		memcpy(t, "\2\0\1\0\1\0\1\0", 8);
		for (unsigned k = 0; k < 3; k++)
			dfs_put_u32le(t + 8 + 4 * k, 0x3a000000 + (k << 20));
		random_rows(t + 20, cols, &seed);
		d->lens[0] = rows * ROW_LEN;
		d->payloads[0] = calloc(1, d->lens[0] + DFS_PAYLOAD_PAD);
		random_rows(d->payloads[0], rows, &seed);
		want = come_formula(d);
		for (int level = 0; level < DFS_CPU_LEVELS; level++) {
			CHECK_RET(0, drive_decode(d, level, got));
			CHECK_BYTES(got, want, 70 * 4);
		}
		free(want);
		free(got);
		drive_free(d);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(tables_of_other_lengths),
	cmocka_unit_test(tables_that_break_a_rule),
	cmocka_unit_test(flipped_tables),
	cmocka_unit_test(largest_table),
	cmocka_unit_test(flipped_and_random_payloads),
	cmocka_unit_test(payloads_of_other_lengths),
	cmocka_unit_test(empty_tables),
	cmocka_unit_test(chunks_of_parts_of_rows),
	cmocka_unit_test(one_row_and_one_column),
};

int main(int argc, char **argv)
{
	return come_main(cases, sizeof(cases) / sizeof(*cases), argc, argv);
}
