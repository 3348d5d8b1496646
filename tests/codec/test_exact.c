/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_exact: the policy picks what is smallest, the same way every time, and never more than the bytes. */
#include "codec/exact.h"

#include <errno.h>
#include <stdlib.h>

#include "codec/value.h"

#include "../check.h"
#include "samples.h"

struct encoded {
	uint8_t *payload;
	size_t len;
	unsigned codec;
	struct dfs_exact_tables *tables;
	uint64_t bits;
};

#define PARTS 6

static void measure_part(const struct sample *s, unsigned part, struct dfs_exact_record *record,
			 struct dfs_scratch *scratch)
{
	unsigned size = dfs_dtype_info(s->block.shape.dtype)->size;
	size_t from = s->block.n * part / PARTS, to = s->block.n * (part + 1) / PARTS;
	struct dfs_block b = s->block;

	b.first += from;
	b.n = to - from;
	if (b.pred)
		b.pred = s->pred + from * size;
	CHECK_RET(0, dfs_exact_measure(record, &b, s->data + from * size, scratch));
}

/* Encodes one chunk; measured in parts, as if by @threads of them, the last one first. */
static struct encoded encode(const struct sample *s, unsigned threads, enum dfs_cpu level)
{
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct encoded e = {
		.payload = malloc(dfs_exact_bound(s->block.shape, s->block.n) + DFS_PAYLOAD_PAD),
	};
	struct dfs_exact_record *sum = dfs_exact_record_new(s->block.shape, s->block.pred != NULL);
	struct dfs_err err;

	dfs_scratch_set_cpu(scratch, level);
	for (unsigned thread = threads; thread--;) {
		struct dfs_exact_record *record =
			dfs_exact_record_new(s->block.shape, s->block.pred != NULL);

		for (unsigned part = thread; part < PARTS; part += threads)
			measure_part(s, part, record, scratch);
		dfs_exact_merge(sum, record);
		dfs_exact_record_free(record);
	}
	e.bits = dfs_exact_bits(sum);
	CHECK_OK(dfs_exact_prepare(sum, &e.tables, &err), err);
	CHECK_RET(0, dfs_exact_encode(&s->block, s->data, e.tables, e.payload, &e.len, &e.codec,
				      scratch));
	CHECK(e.len <= dfs_exact_bound(s->block.shape, s->block.n));
	dfs_exact_record_free(sum);
	dfs_scratch_free(scratch);
	return e;
}

static void encoded_free(struct encoded *e)
{
	free(e->payload);
	dfs_exact_tables_free(e->tables);
}

static void decodes(const struct sample *s, const struct encoded *e)
{
	struct dfs_span table = dfs_exact_table_bytes(e->tables, e->codec);
	uint8_t *out = malloc(s->bytes + DFS_VALUES_PAD);
	struct dfs_table *opened = NULL;
	int code;

	if (table.len)
		CHECK_RET(0, dfs_codec_find(e->codec, &code, NULL)->table_open(
			s->block.shape, table, false, &opened, NULL));
	CHECK_RET(0, sample_decode(s, e->codec, (struct dfs_span){ e->payload, e->len }, opened,
				   DFS_CPU_AVX512, out));
	CHECK_BYTES(out, s->data, s->bytes);
	dfs_table_close(opened);
	free(out);
}

static void picks(struct dfs_shape shape, size_t n, enum sample_kind kind, bool alone, unsigned codec)
{
	struct sample s = sample_make(shape, 0, n, kind, 3);
	struct encoded e;

	if (alone)
		s.block.pred = NULL;
	e = encode(&s, 1, DFS_CPU_PORTABLE);
	assert_string_equal(dfs_codec_name(e.codec), dfs_codec_name(codec));
	decodes(&s, &e);
	encoded_free(&e);
	sample_free(&s);
}

static void each_codec_has_its_case(void **state)
{
	struct dfs_shape bf16 = { .dtype = DFS_BF16 };

	(void)state;
	picks(bf16, 60000, SAME, false, DFS_CODEC_COPY);
	picks(bf16, 60000, FEW, false, DFS_CODEC_SPARSE);
	picks(bf16, 60000, NEAR, false, DFS_CODEC_DIFF);
	picks(bf16, 60000, FAR, true, DFS_CODEC_SOLO);
	picks(bf16, 60000, CONSTANT, true, DFS_CODEC_ZSTD);
	picks((struct dfs_shape){ .dtype = DFS_BYTES }, 60000, CONSTANT, true, DFS_CODEC_ZSTD);
	picks((struct dfs_shape){ .dtype = DFS_BYTES }, 60000, FAR, true, DFS_CODEC_STORED);
	picks((struct dfs_shape){ .dtype = DFS_I64 }, 60000, FAR, true, DFS_CODEC_STORED);
	picks((struct dfs_shape){ .dtype = DFS_I64 }, 60000, SAME, false, DFS_CODEC_COPY);
}

/* Predictions within eight octaves, or below a hundred, so that all that diff has to say is which one it was. */
static struct sample likely_sample(struct dfs_shape shape)
{
	struct sample s = sample_make(shape, 0, 1 << 15, SAME, 1);
	const struct dfs_dtype_info *info = dfs_dtype_info(shape.dtype);
	uint64_t state = 1;

	for (size_t i = 0; i < s.block.n; i++) {
		uint64_t random = random_next(&state);
		uint64_t v = info->is_float ? (119ull << 7) + random % 1024 : random % 100;

		dfs_value_store(s.pred, i, info->size, v << shape.drop);
		dfs_value_store(s.data, i, info->size, (v ^ 1) << shape.drop);
	}
	return s;
}

/* What a base predicts must not keep a layer of zeros, or half of each row, from costing next to nothing. */
static void zeros_are_zeros_whatever_was_predicted(void **state)
{
	static const struct dfs_shape shapes[] = {
		{ .dtype = DFS_BF16 }, { .dtype = DFS_F32, .drop = 16 }, { .dtype = DFS_I64 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct sample s = likely_sample(shapes[i]);
		struct encoded e;

		memset(s.data, 0, s.bytes);
		e = encode(&s, 1, DFS_CPU_PORTABLE);
		CHECK(e.len < 100);
		decodes(&s, &e);
		encoded_free(&e);
		sample_free(&s);
	}
}

static void alike_neighbours_do_not_keep_diff_from_winning(void **state)
{
	struct sample s = likely_sample((struct dfs_shape){ .dtype = DFS_BF16 });
	struct encoded e;

	(void)state;
	for (size_t i = 1; i < s.block.n; i += 2) {
		memcpy(s.data + 2 * i, s.data + 2 * i - 2, 2);
		memcpy(s.pred + 2 * i, s.pred + 2 * i - 2, 2);
	}
	e = encode(&s, 1, DFS_CPU_PORTABLE);
	CHECK(e.codec == DFS_CODEC_DIFF && e.len < s.bytes / 8);
	decodes(&s, &e);
	encoded_free(&e);
	sample_free(&s);
}

static void an_empty_chunk_is_nothing(void **state)
{
	(void)state;
	picks((struct dfs_shape){ .dtype = DFS_BF16 }, 0, SAME, false, DFS_CODEC_COPY);
	picks((struct dfs_shape){ .dtype = DFS_BF16 }, 0, SAME, true, DFS_CODEC_STORED);
}

static void every_dtype_and_kind_comes_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DFS_DTYPES * KINDS * 2; i++) {
		struct dfs_shape shape = { .dtype = i % DFS_DTYPES };
		struct sample s = sample_make(shape, 0, 3000, i / DFS_DTYPES % KINDS, i);
		struct encoded e;

		if (i >= DFS_DTYPES * KINDS)
			s.block.pred = NULL;
		e = encode(&s, 1, DFS_CPU_AVX512);
		decodes(&s, &e);
		encoded_free(&e);
		sample_free(&s);
	}
}

static void same_encoded(const struct encoded *a, const struct encoded *b)
{
	CHECK(a->codec == b->codec && a->len == b->len && a->bits == b->bits);
	CHECK_BYTES(a->payload, b->payload, a->len);
	for (unsigned id = 0; id < DFS_CODECS; id++) {
		struct dfs_span t = dfs_exact_table_bytes(a->tables, id);
		struct dfs_span u = dfs_exact_table_bytes(b->tables, id);

		CHECK(t.len == u.len);
		CHECK(!t.len || !memcmp(t.data, u.data, t.len));
	}
}

/* Same bytes whatever the number of threads that measured, and on every CPU. */
static void the_same_bytes_however_it_was_made(void **state)
{
	static const struct dfs_shape shapes[] = {
		{ .dtype = DFS_BF16 }, { .dtype = DFS_F16 }, { .dtype = DFS_F32 },
		{ .dtype = DFS_F32, .drop = 16 }, { .dtype = DFS_F64 }, { .dtype = DFS_F8_E4M3 },
		{ .dtype = DFS_I32 }, { .dtype = DFS_U8 },
		{ .dtype = DFS_BF16, .cols = 100, .rows = 300 },
		{ .dtype = DFS_F32, .cols = 100, .rows = 300 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(*shapes) * KINDS; i++) {
		struct sample s = sample_make(shapes[i / KINDS], 0, 30000, i % KINDS, i);
		struct encoded first = encode(&s, 1, DFS_CPU_PORTABLE);

		for (int level = 0; level < DFS_CPU_LEVELS; level++) {
			struct encoded other = encode(&s, 3, level);

			same_encoded(&first, &other);
			encoded_free(&other);
		}
		encoded_free(&first);
		sample_free(&s);
	}
}

/* For choosing a base: the nearer one costs less, and the estimate is near the truth. */
static void bits_are_near_what_is_written(void **state)
{
	struct dfs_shape shape = { .dtype = DFS_BF16 };
	uint64_t before = 0;

	(void)state;
	for (int kind = FEW; kind <= FAR; kind += 2) {
		struct sample s = sample_make(shape, 0, 65536, kind == FAR ? FAR : kind, 5);
		struct encoded e = encode(&s, 1, DFS_CPU_PORTABLE);

		CHECK(e.bits > before);
		CHECK(8 * e.len < e.bits + e.bits / 10 + 8 * 200);
		CHECK(8 * e.len + 8 * 200 > e.bits - e.bits / 10);
		before = e.bits;
		encoded_free(&e);
		sample_free(&s);
	}
}

static void nothing_measured_gives_no_table(void **state)
{
	struct dfs_shape shape = { .dtype = DFS_BF16 };
	struct sample s = sample_make(shape, 0, 5000, SAME, 1);
	struct encoded e = encode(&s, 1, DFS_CPU_PORTABLE);

	(void)state;
	for (unsigned id = 0; id < DFS_CODECS; id++)
		CHECK(dfs_exact_table_bytes(e.tables, id).len == 0);
	encoded_free(&e);
	sample_free(&s);
}

static void codecs_are_found_by_number_and_name(void **state)
{
	struct dfs_err err;
	int code = 0;

	(void)state;
	for (unsigned id = 0; id < DFS_CODECS; id++) {
		if (!strcmp(dfs_codec_name(id), "?"))
			continue;
		CHECK_RET((int)id, dfs_codec_parse(dfs_codec_name(id)));
	}
	CHECK(dfs_codec_find(DFS_CODEC_ULTRADELTA, &code, &err));
	CHECK(!dfs_codec_find(9, &code, &err));
	CHECK_RET(-EUCLEAN, code);
	CHECK(!dfs_codec_find(12345, &code, &err));
	CHECK_RET(-EUCLEAN, code);
	CHECK_RET(-EINVAL, dfs_codec_parse("gzip"));
	assert_string_equal(dfs_codec_name(9999), "?");
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(each_codec_has_its_case),
	cmocka_unit_test(zeros_are_zeros_whatever_was_predicted),
	cmocka_unit_test(alike_neighbours_do_not_keep_diff_from_winning),
	cmocka_unit_test(an_empty_chunk_is_nothing),
	cmocka_unit_test(every_dtype_and_kind_comes_back),
	cmocka_unit_test(the_same_bytes_however_it_was_made),
	cmocka_unit_test(bits_are_near_what_is_written),
	cmocka_unit_test(nothing_measured_gives_no_table),
	cmocka_unit_test(codecs_are_found_by_number_and_name),
};

CHECK_MAIN(cases)
