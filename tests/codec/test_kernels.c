/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_kernels: vector kernels do what plain C does, also with payloads and
 * tables that nobody wrote; and no decoder touches a byte outside (the test
 * means most under AddressSanitizer).
 */
#include <errno.h>
#include <stdlib.h>

#include "../check.h"
#include "samples.h"

/* The prediction lies where the values are to be, as when a file is read. */
static int decode_in_place(const struct sample *s, unsigned id, struct dfs_span payload,
			   const struct dfs_table *table, enum dfs_cpu level, uint8_t *out)
{
	struct sample here = *s;

	if (s->block.pred) {
		memcpy(out, s->block.pred, s->bytes);
		here.block.pred = out;
	}
	return sample_decode(&here, id, payload, table, level, out);
}

/* Decodes on all levels, in place too. Return: what plain C returned. */
static int levels_agree(const struct sample *s, unsigned id, struct dfs_span payload,
			const struct dfs_table *table)
{
	uint8_t *first = malloc(s->bytes + DFS_VALUES_PAD);
	uint8_t *other = malloc(s->bytes + DFS_VALUES_PAD);
	int ret = sample_decode(s, id, payload, table, DFS_CPU_PORTABLE, first);

	CHECK(ret == 0 || ret == -EUCLEAN);
	for (int level = 0; level < DFS_CPU_LEVELS; level++) {
		CHECK_RET(ret, sample_decode(s, id, payload, table, level, other));
		if (ret == 0)
			CHECK_BYTES(other, first, s->bytes);
		CHECK_RET(ret, decode_in_place(s, id, payload, table, level, other));
		if (ret == 0)
			CHECK_BYTES(other, first, s->bytes);
	}
	free(first);
	free(other);
	return ret;
}

static const struct dfs_shape shapes[] = {
	{ .dtype = DFS_BF16 },
	{ .dtype = DFS_F16 },
	{ .dtype = DFS_F16, .drop = 3 },
	{ .dtype = DFS_F32 },
	{ .dtype = DFS_F32, .drop = 16 },
	{ .dtype = DFS_F8_E4M3 },
	{ .dtype = DFS_I16 },
	{ .dtype = DFS_I32 },
	{ .dtype = DFS_U8 },
	{ .dtype = DFS_F64 },
	{ .dtype = DFS_I64 },
	{ .dtype = DFS_BF16, .cols = 64, .rows = 1000 },
	{ .dtype = DFS_BF16, .cols = 77, .rows = 1000 },
	{ .dtype = DFS_F32, .cols = 200, .rows = 1000 },
};
#define N_SHAPES (sizeof(shapes) / sizeof(*shapes))

static const unsigned ids[] = { DFS_CODEC_ZSTD, DFS_CODEC_DIFF, DFS_CODEC_SPARSE, DFS_CODEC_SOLO };
#define N_IDS (sizeof(ids) / sizeof(*ids))

/* Some payload of the shape and codec, or none. */
static bool given(const struct dfs_shape shape, unsigned id, uint64_t seed, struct sample *s,
		  struct coded *coded)
{
	static const enum sample_kind kinds[] = { NEAR, ROWS, FAR, SPECIAL, FEW };
	int code;

	if (!dfs_codec_find(id, &code, NULL)->accepts(shape))
		return false;
	*s = sample_make(shape, 45, 4500 + random_next(&seed) % 100,
			 id == DFS_CODEC_SPARSE ? FEW : kinds[seed % 5], seed);
	if (sample_code(s, id, coded) == 0)
		return true;
	coded_free(coded);
	sample_free(s);
	return false;
}

static void good_payloads(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N_SHAPES * N_IDS * 5; i++) {
		struct coded coded;
		struct sample s;

		if (!given(shapes[i % N_SHAPES], ids[i / N_SHAPES % N_IDS], i, &s, &coded))
			continue;
		CHECK_RET(0, levels_agree(&s, ids[i / N_SHAPES % N_IDS],
					  (struct dfs_span){ coded.payload, coded.len }, coded.opened));
		coded_free(&coded);
		sample_free(&s);
	}
}

static void mutate(uint8_t *bytes, size_t len, uint64_t *seed)
{
	unsigned n = 1 + random_next(seed) % 8;

	for (unsigned i = 0; len && i < n; i++)
		bytes[random_next(seed) % len] ^= 1 << random_next(seed) % 8;
}

/* Damage to a payload is seen: by a state that does not return to its start, or a length. */
static void mutated_payloads(void **state)
{
	unsigned decoded = 0, refused = 0;

	(void)state;
	for (unsigned i = 0; i < N_SHAPES * N_IDS; i++) {
		unsigned id = ids[i / N_SHAPES % N_IDS];
		uint64_t seed = i;
		struct coded coded;
		struct sample s;

		if (!given(shapes[i % N_SHAPES], id, i, &s, &coded))
			continue;
		for (unsigned round = 0; round < 20; round++) {
			int ret;

			mutate(coded.payload, coded.len, &seed);
			ret = levels_agree(&s, id, (struct dfs_span){ coded.payload, coded.len },
					   coded.opened);
			decoded += ret == 0;
			refused += ret != 0;
		}
		coded_free(&coded);
		sample_free(&s);
	}
	/* what decodes all the same: plain bits of solo, differences of sparse */
	CHECK(refused > decoded);
}

static void truncated_and_extended_payloads(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N_SHAPES * N_IDS; i++) {
		unsigned id = ids[i / N_SHAPES % N_IDS];
		struct coded coded;
		struct sample s;
		uint8_t *longer;

		if (!given(shapes[i % N_SHAPES], id, i, &s, &coded))
			continue;
		for (size_t len = 0; len < coded.len; len += 1 + len / 7)
			CHECK_RET(-EUCLEAN, levels_agree(&s, id, (struct dfs_span){ coded.payload, len },
							 coded.opened));
		CHECK_RET(-EUCLEAN, levels_agree(&s, id,
						 (struct dfs_span){ coded.payload, coded.len - 1 },
						 coded.opened));
		longer = calloc(1, coded.len + 2);
		memcpy(longer, coded.payload, coded.len);
		CHECK_RET(-EUCLEAN, levels_agree(&s, id, (struct dfs_span){ longer, coded.len + 2 },
						 coded.opened));
		free(longer);
		coded_free(&coded);
		sample_free(&s);
	}
}

static void noise_as_payload(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N_SHAPES * N_IDS; i++) {
		unsigned id = ids[i / N_SHAPES % N_IDS];
		uint64_t seed = i;
		struct coded coded;
		struct sample s;
		uint8_t *noise;

		if (!given(shapes[i % N_SHAPES], id, i, &s, &coded))
			continue;
		noise = malloc(20000);
		for (unsigned j = 0; j < 20000; j++)
			noise[j] = random_next(&seed);
		/* states that pass the check of their range */
		for (unsigned j = 2; j < 128; j += 4)
			noise[j] |= 1;
		for (size_t len = 16; len <= 20000; len += 1 + len / 3)
			levels_agree(&s, id, (struct dfs_span){ noise, len }, coded.opened);
		free(noise);
		coded_free(&coded);
		sample_free(&s);
	}
}

/* A table that opens decodes alike everywhere, whatever it says. */
static void mutated_tables(void **state)
{
	unsigned opened = 0, refused = 0;

	(void)state;
	for (unsigned i = 0; i < N_SHAPES * 2; i++) {
		unsigned id = i < N_SHAPES ? DFS_CODEC_DIFF : DFS_CODEC_SOLO;
		uint64_t seed = i;
		struct coded coded;
		struct sample s;
		int code;

		if (!given(shapes[i % N_SHAPES], id, i, &s, &coded))
			continue;
		for (unsigned round = 0; round < 30; round++) {
			struct dfs_span bytes = { coded.table.data, coded.table.len };
			struct dfs_table *table = NULL;
			int ret;

			mutate(coded.table.data, coded.table.len, &seed);
			ret = dfs_codec_find(id, &code, NULL)->table_open(s.block.shape, bytes, round % 2,
									  &table, NULL);
			CHECK(ret == 0 || ret == -EUCLEAN);
			opened += ret == 0;
			refused += ret != 0;
			if (ret < 0)
				continue;
			levels_agree(&s, id, (struct dfs_span){ coded.payload, coded.len }, table);
			dfs_table_close(table);
		}
		coded_free(&coded);
		sample_free(&s);
	}
	CHECK(opened > 0 && refused > 0);
}

static void truncated_tables_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N_SHAPES * 2; i++) {
		unsigned id = i < N_SHAPES ? DFS_CODEC_DIFF : DFS_CODEC_SOLO;
		struct coded coded;
		struct sample s;
		int code;

		if (!given(shapes[i % N_SHAPES], id, i, &s, &coded))
			continue;
		for (size_t len = 0; len < coded.table.len; len++) {
			struct dfs_table *table = NULL;

			CHECK_RET(-EUCLEAN, dfs_codec_find(id, &code, NULL)->table_open(
				s.block.shape, (struct dfs_span){ coded.table.data, len }, false,
				&table, NULL));
		}
		coded_free(&coded);
		sample_free(&s);
	}
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(good_payloads),
	cmocka_unit_test(mutated_payloads),
	cmocka_unit_test(truncated_and_extended_payloads),
	cmocka_unit_test(noise_as_payload),
	cmocka_unit_test(mutated_tables),
	cmocka_unit_test(truncated_tables_are_refused),
};

CHECK_MAIN(cases)
