/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_delta_come_hostile: tables and payloads of delta-come that no encoder
 * wrote: refused, or decoded alike on every CPU, and nothing outside is
 * touched (the test means most under AddressSanitizer).
 */
#include <errno.h>
#include <stdlib.h>

#include "come.h"
#include "random.h"

#define ROWS 37
#define COLS 41

static struct model *given(unsigned dtype)
{
	struct model *m = come_model("group=8,ratio=6", dtype, ROWS, COLS, (struct come_matrix){ .rank = 3, .noise = 1 });

	m->how.chunk_rows = 16;
	CHECK_RET(0, model_code(m));
	return m;
}

/* Decodes on all levels. Return: 0 or -EUCLEAN, the same of all. */
static int agree(const struct driven *d)
{
	struct dfs_table *table;
	int ret = driven_open(d, d->table.data, d->table.len, false, &table);

	for (size_t i = 0; i < d->n_chunks && ret == 0; i++)
		ret = driven_agree(d, table, &d->chunks[i]);
	dfs_table_close(table);
	return ret;
}

static int open_table(const struct driven *d, const uint8_t *bytes, size_t len)
{
	struct dfs_table *table;
	int ret = driven_open(d, bytes, len, false, &table);

	if (ret == 0)
		CHECK(dfs_table_size(table) < 64 * len + 65536);
	dfs_table_close(table);
	return ret;
}

static void tables_of_other_lengths(void **state)
{
	struct model *m = given(DFS_BF16);
	struct driven *d = m->coded;
	uint8_t *longer = calloc(1, d->table.len + 1);

	(void)state;
	memcpy(longer, d->table.data, d->table.len);
	CHECK_RET(0, open_table(d, longer, d->table.len));
	for (size_t len = 0; len < d->table.len; len++)
		CHECK_RET(-EUCLEAN, open_table(d, longer, len));
	CHECK_RET(-EUCLEAN, open_table(d, longer, d->table.len + 1));
	free(longer);
	model_free(m);
}

/* Counts that the length does not fit, S that is negative, infinite, NaN or 2^90, bits behind the last code. */
static void tables_that_break_a_rule(void **state)
{
	static const uint32_t bad_s[] = { 0x80000000, 0xbf800000, 0x7f800000, 0x7fc00000, 0x6c800000 };
	struct model *m = given(DFS_BF16);
	struct driven *d = m->coded;
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
	model_free(m);
}

static void flipped_tables(void **state)
{
	struct model *m = given(DFS_F16);
	struct driven *d = m->coded;
	unsigned opened = 0, refused = 0;

	(void)state;
	for (size_t bit = 0; bit < 8 * d->table.len; bit += bit < 256 ? 1 : 37) {
		int ret;

		d->table.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ret = agree(d);
		opened += ret == 0;
		refused += ret != 0;
		d->table.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	CHECK(opened > 0 && refused > 0);
	model_free(m);
}

/* Everything as large as the page allows: the sums stay finite, and the same everywhere. */
static void largest_table(void **state)
{
	static const unsigned dtypes[] = { DFS_BF16, DFS_F16, DFS_F32 };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct model *m = given(dtypes[i]);
		struct driven *d = m->coded;
		uint64_t rank = come_rank(d);

		for (uint64_t k = 0; k < rank; k++)
			dfs_put_u32le(d->table.data + 8 + 4 * k, 0x6c7fffff);
		memset(d->table.data + 8 + 4 * rank, 0xff, d->table.len - 8 - 4 * rank);
		/* which also sets bits behind the codes, if there are any */
		agree(d);
		model_free(m);
	}
}

static void flipped_and_random_payloads(void **state)
{
	struct model *m = given(DFS_BF16);
	struct driven *d = m->coded;
	uint64_t seed = 1;

	(void)state;
	for (size_t bit = 0; bit < 8 * d->chunks[0].len; bit += 13) {
		d->chunks[0].payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
		agree(d);
	}
	for (unsigned round = 0; round < 50; round++) {
		for (size_t i = 0; i < d->chunks[1].len; i++)
			d->chunks[1].payload[i] = (uint8_t)random_next(&seed);
		agree(d);
	}
	model_free(m);
}

static void payloads_of_other_lengths(void **state)
{
	struct model *m = given(DFS_F32);
	struct driven *d = m->coded;
	size_t len = d->chunks[1].len;

	(void)state;
	for (size_t cut = 0; cut <= len + DFS_PAYLOAD_PAD / 2; cut++) {
		d->chunks[1].len = cut;
		CHECK_RET(cut == len ? 0 : -EUCLEAN, agree(d));
	}
	model_free(m);
}

/* A table without columns stands for no difference, and has no payload. */
static void empty_tables(void **state)
{
	struct model *m = given(DFS_F32);
	struct driven *d = m->coded;
	uint8_t *out = malloc(d->matrix->bytes);

	(void)state;
	memset(d->table.data + 2, 0, 6);
	d->table.len = 8;
	CHECK_RET(-EUCLEAN, agree(d));
	for (size_t i = 0; i < d->n_chunks; i++)
		d->chunks[i].len = 0;
	driven_decode_alike(d, out);
	CHECK_BYTES(out, d->matrix->pred, d->matrix->bytes);
	free(out);
	model_free(m);
}

/* Chunks that are cut through rows, as a container without chunk_rows has them. */
static void chunks_of_parts_of_rows(void **state)
{
	struct model *m = given(DFS_BF16);
	struct driven *d = m->coded;
	struct dfs_table *table;

	(void)state;
	CHECK_RET(0, driven_open(d, d->table.data, d->table.len, false, &table));
	for (uint64_t first = 0; first < 2; first++)
		for (size_t n = 16 * COLS - 1; n <= 16 * COLS + 1; n++) {
			struct driven_chunk chunk = { first, n, d->chunks[0].payload, d->chunks[0].len };

			CHECK_RET(first == 0 && n == 16 * COLS ? 0 : -EUCLEAN, driven_agree(d, table, &chunk));
		}
	dfs_table_close(table);
	model_free(m);
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
		struct model *m = model_new(DFS_CODEC_DELTA_COME, "");
		struct driven *d = model_add(m, DFS_F32, row ? 1 : 70, row ? 70 : 1, ZERO, 0, row);
		size_t cols = (size_t)d->tensor.shape.cols, rows = 71 - cols;
		uint8_t *t = dfs_buf_extend(&d->table, 20 + cols * ROW_LEN), *got = malloc(70 * 4), *want;
		uint64_t seed = row;

		CHECK(d->n_chunks == 1);
		memcpy(t, "\2\0\1\0\1\0\1\0", 8);
		for (unsigned k = 0; k < 3; k++)
			dfs_put_u32le(t + 8 + 4 * k, 0x3a000000 + (k << 20));
		random_rows(t + 20, cols, &seed);
		d->chunks->len = rows * ROW_LEN;
		d->chunks->payload = calloc(1, d->chunks->len);
		random_rows(d->chunks->payload, rows, &seed);
		want = come_formula(d);
		driven_decode_alike(d, got);
		CHECK_BYTES(got, want, 70 * 4);
		free(want);
		free(got);
		model_free(m);
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
