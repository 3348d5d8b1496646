/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_roundtrip: what a codec wrote, each kernel reads back, bit for bit. */
#include <errno.h>
#include <stdlib.h>

#include "../check.h"
#include "samples.h"

static const unsigned exact_codecs[] = {
	DFS_CODEC_COPY, DFS_CODEC_STORED, DFS_CODEC_ZSTD,
	DFS_CODEC_DIFF, DFS_CODEC_SPARSE, DFS_CODEC_SOLO,
};
#define EACH_CODEC(i) (unsigned i = 0; i < sizeof(exact_codecs) / sizeof(*exact_codecs); i++)

/* Return: was it encoded at all? */
static bool comes_back(const struct sample *s, unsigned id)
{
	uint8_t *out = malloc(s->bytes + DFS_VALUES_PAD);
	struct coded coded;
	int ret = sample_code(s, id, &coded);

	CHECK(out != NULL);
	CHECK(ret == 0 || ret == -ERANGE);
	for (int level = 0; ret == 0 && level < DFS_CPU_LEVELS; level++) {
		memset(out, 0xee, s->bytes + DFS_VALUES_PAD);
		CHECK_RET(0, sample_decode(s, id, (struct dfs_span){ coded.payload, coded.len },
					   coded.opened, level, out));
		CHECK_BYTES(out, s->data, s->bytes);
	}
	coded_free(&coded);
	free(out);
	return ret == 0;
}

static bool accepts(unsigned id, struct dfs_shape shape)
{
	int code;

	return dfs_codec_find(id, &code, NULL)->accepts(shape);
}

static void with_each_codec(struct dfs_shape shape, uint64_t first, size_t n, enum sample_kind kind)
{
	struct sample s = sample_make(shape, first, n, kind, 1 + shape.dtype + n);

	for EACH_CODEC(i)
		if (accepts(exact_codecs[i], shape))
			comes_back(&s, exact_codecs[i]);
	sample_free(&s);
}

static void every_dtype_and_kind(void **state)
{
	(void)state;
	for (unsigned dtype = 0; dtype < DFS_DTYPES; dtype++)
		for (int kind = 0; kind < KINDS; kind++)
			with_each_codec((struct dfs_shape){ .dtype = dtype }, 0, 5000, kind);
}

static void every_drop(void **state)
{
	(void)state;
	for (unsigned dtype = 0; dtype < DFS_DTYPES; dtype++) {
		const struct dfs_dtype_info *info = dfs_dtype_info(dtype);

		for (unsigned drop = 1; drop < info->mantissa; drop++)
			for (int kind = NEAR; kind <= SPECIAL; kind++)
				with_each_codec((struct dfs_shape){ .dtype = dtype, .drop = drop },
						0, 2500, kind);
	}
}

static void every_small_length(void **state)
{
	static const uint8_t dtypes[] = { DFS_U8, DFS_BF16, DFS_F32, DFS_F64 };

	(void)state;
	for (unsigned i = 0; i < sizeof(dtypes); i++)
		for (size_t n = 0; n < 150; n++)
			with_each_codec((struct dfs_shape){ .dtype = dtypes[i] }, 0, n, NEAR);
}

/* From below the length at which there are more lanes to two rows of lanes above. */
static void every_length_around_the_change_of_lanes(void **state)
{
	static const uint8_t dtypes[] = { DFS_F8_E4M3, DFS_F16, DFS_I32 };

	(void)state;
	for (unsigned i = 0; i < sizeof(dtypes); i++)
		for (size_t n = 2040; n < 2048 + 66; n++)
			with_each_codec((struct dfs_shape){ .dtype = dtypes[i] }, 0, n, NEAR);
}

static void copy_takes_only_what_is_predicted(void **state)
{
	struct dfs_shape shape = { .dtype = DFS_BF16 };
	struct sample s = sample_make(shape, 0, 4000, SAME, 1);

	(void)state;
	CHECK(comes_back(&s, DFS_CODEC_COPY));
	s.data[s.bytes - 1] ^= 1;
	CHECK(!comes_back(&s, DFS_CODEC_COPY));
	sample_free(&s);
}

static void sparse_and_copy_decode_in_place(void **state)
{
	struct dfs_shape shape = { .dtype = DFS_BF16 };
	struct sample s = sample_make(shape, 0, 40000, FEW, 1);
	struct coded coded;

	(void)state;
	CHECK_RET(0, sample_code(&s, DFS_CODEC_SPARSE, &coded));
	CHECK_RET(0, sample_decode(&s, DFS_CODEC_SPARSE,
				   (struct dfs_span){ coded.payload, coded.len }, NULL,
				   DFS_CPU_PORTABLE, s.pred));
	CHECK_BYTES(s.pred, s.data, s.bytes);
	coded_free(&coded);
	sample_free(&s);
}

static void diff_needs_a_prediction(void **state)
{
	struct dfs_shape shape = { .dtype = DFS_BF16 };
	struct sample s = sample_make(shape, 0, 4000, NEAR, 1);
	static const unsigned ids[] = { DFS_CODEC_DIFF, DFS_CODEC_SPARSE, DFS_CODEC_COPY };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct sample alone = s;
		uint8_t *out = malloc(s.bytes + DFS_VALUES_PAD);
		struct coded coded;

		sample_code(&s, ids[i], &coded);
		alone.block.pred = NULL;
		CHECK_RET(-EUCLEAN, sample_decode(&alone, ids[i],
						  (struct dfs_span){ coded.payload, coded.len },
						  coded.opened, DFS_CPU_PORTABLE, out));
		coded_free(&coded);
		free(out);
	}
	sample_free(&s);
}

static void all_levels_decline(const struct sample *s, const struct dfs_table *table)
{
	int code;
	const struct dfs_codec *codec = dfs_codec_find(DFS_CODEC_DIFF, &code, NULL);
	struct dfs_scratch *scratch = dfs_scratch_new();
	uint8_t *payload = malloc(codec->bound(s->block.shape, s->block.n));
	size_t len;

	for (int level = 0; level < DFS_CPU_LEVELS; level++) {
		dfs_scratch_set_cpu(scratch, level);
		CHECK_RET(-ERANGE, codec->encode(&s->block, s->data, table, payload, &len, scratch));
	}
	free(payload);
	dfs_scratch_free(scratch);
}

/* Values that the measured ones did not hold, all or one at any place: declined, never wrong. */
static void a_table_of_other_data_declines(void **state)
{
	static const size_t places[] = { 0, 7, 8, 15, 16, 24, 31, 4096, 8959, 8960, 8999 };
	struct dfs_shape shape = { .dtype = DFS_BF16 };
	struct sample a = sample_make(shape, 0, 9000, FEW, 1);
	struct sample b = sample_make(shape, 0, 9000, FAR, 2);
	int code;
	struct dfs_table *table;
	struct coded coded;

	(void)state;
	CHECK_RET(0, sample_code(&a, DFS_CODEC_DIFF, &coded));
	CHECK_RET(0, dfs_codec_find(DFS_CODEC_DIFF, &code, NULL)->table_open(
		shape, (struct dfs_span){ coded.table.data, coded.table.len }, true, &table, NULL));
	all_levels_decline(&b, table);
	for (unsigned i = 0; i < sizeof(places) / sizeof(*places); i++) {
		uint8_t *value = a.data + 2 * places[i] + 1, before = *value;

		*value ^= 0x41;	/* the sign, and half of the exponents away */
		all_levels_decline(&a, table);
		*value = before;
	}
	dfs_table_close(table);
	coded_free(&coded);
	sample_free(&a);
	sample_free(&b);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(every_dtype_and_kind),
	cmocka_unit_test(every_drop),
	cmocka_unit_test(every_small_length),
	cmocka_unit_test(every_length_around_the_change_of_lanes),
	cmocka_unit_test(copy_takes_only_what_is_predicted),
	cmocka_unit_test(sparse_and_copy_decode_in_place),
	cmocka_unit_test(diff_needs_a_prediction),
	cmocka_unit_test(a_table_of_other_data_declines),
};

CHECK_MAIN(cases)
