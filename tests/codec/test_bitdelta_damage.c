/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bitdelta: tables and payloads that nobody wrote are refused, or decode without a byte outside being touched. */
#include <errno.h>
#include <stdlib.h>

#include "../check.h"
#include "driven.h"
#include "random.h"

static const char *const scales[] = { "scalar", "row", "column" };
static const unsigned dtypes[] = { DFS_BF16, DFS_F16, DFS_F32 };

/* A payload of another length, and one with flipped bits. Return: how many were refused. */
static unsigned damage_payload(const struct driven *d, const struct dfs_table *table, const struct driven_chunk *chunk,
			       uint64_t *seed)
{
	struct driven_chunk damaged = *chunk;
	unsigned refused = 0;

	damaged.payload = calloc(1, chunk->len + 1);
	CHECK(damaged.payload);
	memcpy(damaged.payload, chunk->payload, chunk->len);
	damaged.len = random_next(seed) % (chunk->len + 1);
	if (damaged.len == chunk->len)
		damaged.len++;
	refused += driven_agree(d, table, &damaged) < 0;
	damaged.len = chunk->len;
	for (unsigned i = 0; damaged.len && i <= random_next(seed) % 4; i++)
		damaged.payload[random_next(seed) % damaged.len] ^= (uint8_t)(1 << random_next(seed) % 8);
	refused += driven_agree(d, table, &damaged) < 0;
	free(damaged.payload);
	return refused;
}

/* The first bytes of a table say most: every other flip is there. Return: was it refused? */
static bool damage_table(const struct driven *d, bool cut_off, uint64_t *seed)
{
	size_t all = d->table.len, len = cut_off ? random_next(seed) % all : all;
	uint8_t *bytes = malloc(all);
	struct dfs_table *table;
	int ret;

	CHECK(bytes);
	memcpy(bytes, d->table.data, all);
	if (!cut_off)
		bytes[random_next(seed) % (random_next(seed) % 2 && len > 16 ? 16 : len)] ^=
			(uint8_t)(1 << random_next(seed) % 8);
	ret = driven_open(d, bytes, len, false, &table);
	CHECK(ret < 0 || !cut_off);
	if (ret == 0)
		driven_agree(d, table, &d->chunks[random_next(seed) % d->n_chunks]);
	dfs_table_close(table);
	free(bytes);
	return ret < 0;
}

/* Cut off is always refused: one in each round, and a table in each second one. */
static void damage(const struct driven *d)
{
	unsigned refused = 0;
	struct dfs_table *table;
	uint64_t seed = 60;

	CHECK_RET(0, driven_open(d, d->table.data, d->table.len, false, &table));
	for (unsigned i = 0; i < 60; i++) {
		refused += damage_payload(d, table, &d->chunks[random_next(&seed) % d->n_chunks], &seed);
		refused += damage_table(d, i % 2, &seed);
	}
	CHECK(refused >= 60 + 30);
	dfs_table_close(table);
}

static void damage_is_refused_or_decoded_alike(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 27; i++) {
		struct matrix t = matrix_new(dtypes[i % 3], 70, 65);
		char options[64];
		struct driver how = { .codec = DFS_CODEC_BITDELTA, .options = options, .head = 519, .chunk = 1003 };
		struct driven d;

		matrix_fill(&t, GAUSSIAN, 0.001, i);
		snprintf(options, sizeof(options), "scale=%s,k=%u", scales[i / 9], 1 + i / 3 % 3);
		CHECK_RET(0, drive(&how, &t, 1, &d));
		damage(&d);
		driven_free(&d);
		matrix_free(&t);
	}
}

static void tables_that_the_page_does_not_allow(void **state)
{
	static const struct {
		int ret;
		uint8_t bytes[8];
		size_t len;
	} tables[] = {
		{ 0, { 0, 1, 0, 0, 0, 0x3c }, 6 },
		{ 0, { 0, 1, 0, 0, 0xff, 0x7b }, 6 },
		{ 0, { 0, 2, 107, 0, 0xff, 0x7b, 0xff, 0x7b }, 8 },
		{ 0, { 0, 1, 131, 0, 1, 0 }, 6 },		/* -125 */
		{ 0, { 1, 1, 0, 0, 0, 0, 0, 0 }, 8 },		/* two rows */
		{ -EUCLEAN, { 3, 1, 0, 0, 0, 0x3c }, 6 },	/* no such kind */
		{ -EUCLEAN, { 0, 0, 0, 0 }, 4 },		/* no round */
		{ -EUCLEAN, { 0, 9, 0, 0, 0, 0x3c }, 6 },
		{ -EUCLEAN, { 0, 1, 108, 0, 0, 0x3c }, 6 },
		{ -EUCLEAN, { 0, 1, 130, 0, 0, 0x3c }, 6 },	/* -126 */
		{ -EUCLEAN, { 0, 1, 128, 0, 0, 0x3c }, 6 },
		{ -EUCLEAN, { 0, 1, 0, 1, 0, 0x3c }, 6 },	/* reserved */
		{ -EUCLEAN, { 0, 1, 0, 0, 0, 0x7c }, 6 },	/* infinity */
		{ -EUCLEAN, { 0, 1, 0, 0, 1, 0x7c }, 6 },	/* NaN */
		{ -EUCLEAN, { 0, 1, 0, 0, 0, 0x80 }, 6 },	/* negative zero */
		{ -EUCLEAN, { 0, 1, 0, 0, 0, 0x3c, 0 }, 7 },
		{ -EUCLEAN, { 2, 1, 0, 0, 0, 0, 0, 0 }, 8 },	/* not two columns */
		{ -EUCLEAN, { 0 }, 0 },
	};
	struct dfs_shape shape = { .dtype = DFS_BF16, .rows = 2, .cols = 3 };
	(void)state;

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		uint8_t *bytes = malloc(tables[i].len + !tables[i].len);
		struct dfs_table *table = NULL;
		struct dfs_err err = { "" };

		memcpy(bytes, tables[i].bytes, tables[i].len);
		CHECK_RET(tables[i].ret, dfs_lossy_find(DFS_CODEC_BITDELTA)->codec->table_open(
			shape, (struct dfs_span){ bytes, tables[i].len }, false, &table, &err));
		CHECK(!table == (tables[i].ret < 0) && !err.text[0] == !tables[i].ret);
		dfs_table_close(table);
		free(bytes);
	}
}

static void what_it_accepts(void **state)
{
	const struct dfs_codec *codec = dfs_lossy_find(DFS_CODEC_BITDELTA)->codec;
	(void)state;

	for (unsigned dtype = 0; dtype < DFS_DTYPES; dtype++) {
		struct dfs_shape shape = { .dtype = (uint8_t)dtype, .rows = 5, .cols = 7 };
		bool floats = dtype == DFS_BF16 || dtype == DFS_F16 || dtype == DFS_F32;

		CHECK(codec->accepts(shape) == floats);
		shape.drop = 1;
		CHECK(!codec->accepts(shape));
		shape.drop = 0;
		shape.rows = 0;
		CHECK(!codec->accepts(shape));
		shape.rows = 5;
		shape.cols = 0;
		CHECK(!codec->accepts(shape));
	}
	CHECK(!codec->exact && codec->needs_prediction);
}

static void payloads_of_another_length(void **state)
{
	struct matrix t = matrix_new(DFS_BF16, 3, 67);
	uint8_t long_payload[64] = { 0 };
	struct driven_chunk chunk = { .n = 201, .payload = long_payload };
	struct dfs_table *table;
	struct driven d;
	(void)state;

	matrix_fill(&t, GAUSSIAN, 0.001, 1);
	CHECK_RET(0, drive(&(struct driver){ .codec = DFS_CODEC_BITDELTA, .options = "k=2" }, &t, 1, &d));
	CHECK_RET(0, driven_open(&d, d.table.data, d.table.len, false, &table));
	memcpy(long_payload, d.chunks[0].payload, d.chunks[0].len);
	for (chunk.len = 0; chunk.len < sizeof(long_payload); chunk.len++)
		CHECK_RET(chunk.len == 2 * 26 ? 0 : -EUCLEAN, driven_agree(&d, table, &chunk));
	/* 201 values leave 7 bits of the last byte of each round, which must be zero */
	chunk.len = 2 * 26;
	for (unsigned bit = 0; bit < 8; bit++)
		for (unsigned round = 0; round < 2; round++) {
			uint8_t *last = &long_payload[26 * round + 25];

			*last ^= (uint8_t)(1 << bit);
			CHECK_RET(bit == 0 ? 0 : -EUCLEAN, driven_agree(&d, table, &chunk));
			*last ^= (uint8_t)(1 << bit);
		}
	dfs_table_close(table);
	driven_free(&d);
	matrix_free(&t);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(damage_is_refused_or_decoded_alike),
	cmocka_unit_test(tables_that_the_page_does_not_allow),
	cmocka_unit_test(what_it_accepts),
	cmocka_unit_test(payloads_of_another_length),
};

CHECK_MAIN(cases)
