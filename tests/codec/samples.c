/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "samples.h"

#include <errno.h>

#include <stdio.h>
#include <stdlib.h>

static void *room(size_t len)
{
	void *p = calloc(1, len);

	if (!p) {
		fprintf(stderr, "samples: out of memory\n");
		exit(1);
	}
	return p;
}

/* A number whose octaves are all about equally frequent, below 2^@bits. */
static uint64_t random_octave(uint64_t *seed, unsigned bits)
{
	uint64_t v = random_next(seed);

	return bits ? v >> (64 - bits) >> random_next(seed) % bits : 0;
}

static uint64_t ones(unsigned bits)
{
	return bits ? UINT64_MAX >> (64 - bits) : 0;
}

/* A float near one, most often below, as weights are; an integer: any. */
static uint64_t random_value(const struct dfs_dtype_info *info, uint64_t *seed)
{
	uint64_t v = random_next(seed) & ones(8 * info->size);
	uint64_t exponent;

	if (!info->exponent)
		return v;
	exponent = ones(info->exponent - 1);
	for (unsigned i = 0; exponent && i < 12 && random_next(seed) % 2; i++)
		exponent--;
	v &= ~(ones(info->exponent) << info->mantissa);
	return v | exponent << info->mantissa;
}

static uint64_t special_value(const struct dfs_dtype_info *info, uint64_t *seed)
{
	uint64_t sign = (random_next(seed) & 1) << (8 * info->size - 1);
	uint64_t exponents = ones(info->exponent) << info->mantissa;

	switch (random_next(seed) % 8) {
	case 0:
		return sign;					/* 0, -0, the least integer */
	case 1:
		return sign | exponents;			/* infinity */
	case 2:
		return sign | exponents | 1;			/* NaN */
	case 3:
		return sign | exponents | ones(info->mantissa);	/* NaN */
	case 4:
		return sign | 1;				/* the least subnormal */
	case 5:
		return sign | ones(info->mantissa);		/* the greatest subnormal */
	case 6:
		return ones(8 * info->size) ^ sign;
	default:
		return random_next(seed) & ones(8 * info->size);
	}
}

static void put(uint8_t *p, size_t i, unsigned size, uint64_t v)
{
	v = htole64(v);
	memcpy(p + i * size, &v, size);
}

/* Some steps up or down, at most about 2^@bits. */
static uint64_t moved(uint64_t q, unsigned bits, uint64_t *seed)
{
	uint64_t by = random_octave(seed, bits);

	return random_next(seed) % 2 ? q + by : q - by;
}

static uint64_t row_of(const struct dfs_block *b, size_t i)
{
	return b->shape.cols ? (b->first + i) / b->shape.cols : i / 50;
}

/* As an integer of the bits that are not dropped. */
static uint64_t value_of(const struct sample *s, const struct dfs_dtype_info *info, size_t i,
			 uint64_t q, enum sample_kind kind, uint64_t *seed)
{
	unsigned width = 8 * info->size - s->block.shape.drop;
	uint64_t row = row_of(&s->block, i);

	switch (kind) {
	case FEW:
		return random_next(seed) % 500 ? q : moved(q, 2, seed);
	case NEAR:
		return moved(q, width / 2, seed);
	case ROWS:
		return row % 3 ? moved(q, row * 7 % (width - 3) + 1, seed) : q;
	case FAR:
		return random_value(info, seed) >> s->block.shape.drop;
	case SPECIAL:
		return special_value(info, seed) >> s->block.shape.drop;
	default:
		return q;
	}
}

struct sample sample_make(struct dfs_shape shape, uint64_t first, size_t n, enum sample_kind kind,
			  uint64_t seed)
{
	const struct dfs_dtype_info *info = dfs_dtype_info(shape.dtype);
	struct sample s = { .block = { .shape = shape, .first = first, .n = n } };
	uint64_t constant = random_value(info, &seed) >> shape.drop;

	s.bytes = n * info->size;
	s.pred = room(s.bytes + DFS_VALUES_PAD);
	s.data = room(s.bytes + DFS_VALUES_PAD);
	for (size_t i = 0; i < n; i++) {
		uint64_t q = random_value(info, &seed) >> shape.drop;

		if (kind == SPECIAL)
			q = special_value(info, &seed) >> shape.drop;
		if (kind == CONSTANT)
			q = constant;
		put(s.pred, i, info->size, q << shape.drop);
		put(s.data, i, info->size, value_of(&s, info, i, q, kind, &seed) << shape.drop);
	}
	s.block.pred = s.pred;
	return s;
}

void sample_free(struct sample *sample)
{
	free(sample->pred);
	free(sample->data);
}

static struct dfs_table *make_table(const struct sample *s, const struct dfs_codec *codec,
				    struct coded *coded, struct dfs_scratch *scratch)
{
	void *record = room(codec->record_size);
	struct dfs_table *table = NULL;
	struct dfs_err err = { "" };
	int ret;

	ret = codec->measure(&s->block, s->data, record, scratch);
	if (ret == 0)
		ret = codec->prepare(s->block.shape, record, (struct dfs_span){ NULL, 0 },
				     &coded->table, &err);
	if (ret == 0 && coded->table.len) {
		struct dfs_span bytes = { coded->table.data, coded->table.len };

		ret = codec->table_open(s->block.shape, bytes, true, &table, &err);
		if (ret == 0)
			ret = codec->table_open(s->block.shape, bytes, false, &coded->opened, &err);
	}
	if (ret < 0) {
		fprintf(stderr, "samples: %s: %s\n", codec->name, err.text);
		exit(1);
	}
	free(record);
	return table;
}

int sample_code(const struct sample *sample, unsigned id, struct coded *ret_coded)
{
	int code;
	const struct dfs_codec *codec = dfs_codec_find(id, &code, NULL);
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct dfs_table *table = NULL;
	int ret = -ERANGE;

	*ret_coded = (struct coded){ .len = 0 };
	if (codec->record_size)
		table = make_table(sample, codec, ret_coded, scratch);
	ret_coded->payload = room(codec->bound(sample->block.shape, sample->block.n) +
				  DFS_PAYLOAD_PAD);
	if (!codec->record_size || table)
		ret = codec->encode(&sample->block, sample->data, table, ret_coded->payload,
				    &ret_coded->len, scratch);
	dfs_table_close(table);
	dfs_scratch_free(scratch);
	return ret;
}

void coded_free(struct coded *coded)
{
	dfs_buf_release(&coded->table);
	dfs_table_close(coded->opened);
	free(coded->payload);
}

int sample_decode(const struct sample *sample, unsigned id, struct dfs_span payload,
		  const struct dfs_table *table, enum dfs_cpu level, uint8_t *out)
{
	int code;
	const struct dfs_codec *codec = dfs_codec_find(id, &code, NULL);
	struct dfs_scratch *scratch = dfs_scratch_new();
	uint8_t *copy = room(payload.len + DFS_PAYLOAD_PAD);
	struct dfs_err err;
	int ret;

	memcpy(copy, payload.data, payload.len);
	memset(copy + payload.len, 0xa5, DFS_PAYLOAD_PAD);
	dfs_scratch_set_cpu(scratch, level);
	ret = codec->decode(&sample->block, (struct dfs_span){ copy, payload.len }, table, out,
			    scratch, &err);
	dfs_scratch_free(scratch);
	free(copy);
	return ret;
}
