/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lossy.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "samples.h"
#include "tensor/convert.h"

static unsigned size_of(unsigned dtype)
{
	return dfs_dtype_info(dtype)->size;
}

struct lossy_tensor lossy_tensor_new(unsigned dtype, uint64_t rows, uint64_t cols)
{
	struct lossy_tensor t = {
		.shape = { .dtype = (uint8_t)dtype, .rows = rows, .cols = cols }, .n = rows * cols,
		.bytes = rows * cols * size_of(dtype), .head = 65536, .chunk = 65536,
	};

	t.pred = calloc(1, t.bytes + DFS_VALUES_PAD);
	t.data = calloc(1, t.bytes + DFS_VALUES_PAD);
	CHECK(t.pred && t.data);
	return t;
}

void lossy_tensor_free(struct lossy_tensor *t)
{
	free(t->pred);
	free(t->data);
}

void lossy_put(const struct lossy_tensor *t, uint8_t *values, size_t i, double value)
{
	dfs_convert(DFS_F64, t->shape.dtype, &value, values + i * size_of(t->shape.dtype), 1);
}

double lossy_get(const struct lossy_tensor *t, const uint8_t *values, size_t i)
{
	double value;

	dfs_convert(t->shape.dtype, DFS_F64, values + i * size_of(t->shape.dtype), &value, 1);
	return value;
}

double lossy_random_normal(uint64_t *seed)
{
	double u = (double)((random_next(seed) >> 11) + 1) * 0x1p-53, v = (double)(random_next(seed) >> 11) * 0x1p-53;

	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

void lossy_normal(struct lossy_tensor *t, double spread, double moved, uint64_t seed)
{
	for (size_t i = 0; i < t->n; i++) {
		double value = spread * lossy_random_normal(&seed);

		lossy_put(t, t->pred, i, value);
		lossy_put(t, t->data, i, value + moved * lossy_random_normal(&seed));
	}
}

static struct dfs_block block_of(const struct lossy_tensor *t, const struct lossy_chunk *chunk)
{
	return (struct dfs_block){
		.shape = t->shape, .first = chunk->first, .n = chunk->n,
		.pred = t->pred + chunk->first * size_of(t->shape.dtype),
	};
}

static void cut(const struct lossy_tensor *t, const struct dfs_lossy *lossy, const void *options,
		struct lossy_coded *coded)
{
	size_t chunk = t->chunk, head = t->head;

	if (lossy->chunk_rows)
		chunk = head = lossy->chunk_rows(options, t->shape) * (size_t)t->shape.cols;
	coded->chunks = calloc(t->n / chunk + 2, sizeof(*coded->chunks));
	CHECK(coded->chunks);
	for (size_t at = 0; at < t->n; coded->n_chunks++) {
		struct lossy_chunk *c = &coded->chunks[coded->n_chunks];

		c->first = at;
		c->n = at ? chunk : head;
		if (c->n > t->n - at)
			c->n = t->n - at;
		at += c->n;
	}
}

/* The differences of a chunk; the caller frees them. */
static float *delta_of(const struct lossy_tensor *t, const struct lossy_chunk *chunk)
{
	float *delta = malloc(chunk->n * sizeof(*delta));
	unsigned size = size_of(t->shape.dtype);

	CHECK(delta);
	CHECK(dfs_delta(t->shape.dtype, t->data + chunk->first * size, t->pred + chunk->first * size, delta, chunk->n));
	return delta;
}

static int prepare(const struct lossy_tensor *t, const struct dfs_lossy *lossy, const void *options,
		   struct lossy_coded *coded, struct dfs_scratch *scratch)
{
	struct dfs_lossy_tensor tensor = {
		.shape = t->shape, .values = t->n,
		.chunk_rows = lossy->chunk_rows ? lossy->chunk_rows(options, t->shape) : 0,
		.record = calloc(1, lossy->record_size(options, t->shape)),
	};
	struct dfs_err err = { "" };
	int ret;

	CHECK(tensor.record);
	for (unsigned pass = 0; pass < lossy->passes(options); pass++) {
		for (size_t i = 0; i < coded->n_chunks; i++) {
			struct dfs_block block = block_of(t, &coded->chunks[i]);
			float *delta = delta_of(t, &coded->chunks[i]);

			CHECK_RET(0, lossy->measure(options, pass, &block, delta, &tensor, scratch));
			free(delta);
		}
		if (lossy->settle)
			CHECK_RET(0, lossy->settle(options, pass, &tensor));
	}
	if (lossy->plan)
		CHECK_OK(lossy->plan(options, &tensor, 1, &err), err);
	ret = lossy->prepare(options, &tensor, &coded->table, &coded->notes, &err);
	CHECK(ret == 0 || ret == -ERANGE);
	free(tensor.record);
	return ret;
}

static void encode(const struct lossy_tensor *t, const struct dfs_lossy *lossy, const struct lossy_coded *coded,
		   struct lossy_chunk *chunk, struct dfs_scratch *scratch)
{
	struct dfs_block block = block_of(t, chunk);
	uint8_t *room = malloc(lossy->codec->bound(t->shape, chunk->n));
	float *delta = delta_of(t, chunk);

	CHECK(room);
	CHECK_RET(0, lossy->encode(&block, delta, coded->opened, (struct dfs_span){ coded->notes.data, coded->notes.len },
				   room, &chunk->len, scratch));
	CHECK(chunk->len <= lossy->codec->bound(t->shape, chunk->n));
	chunk->payload = malloc(chunk->len + 1);
	CHECK(chunk->payload);
	memcpy(chunk->payload, room, chunk->len);
	free(delta);
	free(room);
}

int lossy_code(const struct lossy_tensor *t, unsigned codec, const char *options_text, struct lossy_coded *coded)
{
	_Alignas(16) uint8_t options[DFS_LOSSY_OPTIONS_MAX];
	const struct dfs_lossy *lossy = dfs_lossy_find(codec);
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct dfs_err err = { "" };
	int ret;

	*coded = (struct lossy_coded){ .codec = codec };
	CHECK(lossy && scratch && lossy->codec->accepts(t->shape));
	CHECK_OK(dfs_lossy_parse(lossy, options_text, options, &err), err);
	CHECK(!lossy->takes || lossy->takes(options, t->shape));
	cut(t, lossy, options, coded);
	ret = prepare(t, lossy, options, coded, scratch);
	if (ret == 0)
		CHECK_OK(lossy->codec->table_open(t->shape, (struct dfs_span){ coded->table.data, coded->table.len },
						  true, &coded->opened, &err), err);
	/* any order: the last chunk first */
	for (size_t i = coded->n_chunks; ret == 0 && i-- > 0;)
		encode(t, lossy, coded, &coded->chunks[i], scratch);
	dfs_scratch_free(scratch);
	return ret;
}

void lossy_coded_free(struct lossy_coded *coded)
{
	for (size_t i = 0; i < coded->n_chunks; i++)
		free(coded->chunks[i].payload);
	free(coded->chunks);
	dfs_table_close(coded->opened);
	dfs_buf_release(&coded->table);
	dfs_buf_release(&coded->notes);
}

size_t lossy_coded_bytes(const struct lossy_coded *coded)
{
	size_t bytes = coded->table.len;

	for (size_t i = 0; i < coded->n_chunks; i++)
		bytes += coded->chunks[i].len;
	return bytes;
}

#define LINE 64	/* malloc() aligns to less; skew counts from here */

static uint8_t *skewed(uint8_t **ret_room, size_t len, unsigned skew)
{
	*ret_room = malloc(len + skew + LINE);
	CHECK(*ret_room);
	/* the end of the room is where the buffer ends, as nearly as its beginning lets */
	return *ret_room + LINE + skew - (uintptr_t)*ret_room % LINE;
}

int lossy_decode(const struct lossy_tensor *t, const struct lossy_coded *coded, const struct lossy_chunk *chunk,
		 const struct lossy_way *way, uint8_t *out)
{
	const struct dfs_codec *codec = dfs_lossy_find(coded->codec)->codec;
	struct dfs_scratch *scratch = dfs_scratch_new();
	size_t bytes = chunk->n * size_of(t->shape.dtype);
	uint8_t *pred_room, *out_room, *payload = malloc(chunk->len + DFS_PAYLOAD_PAD);
	uint8_t *pred = skewed(&pred_room, bytes + DFS_VALUES_PAD, way->skew);
	uint8_t *to = skewed(&out_room, bytes + DFS_VALUES_PAD, way->skew);
	struct dfs_block block = block_of(t, chunk);
	struct dfs_err err = { "" };
	int ret;

	CHECK(scratch && payload);
	memcpy(payload, chunk->payload, chunk->len);
	memset(payload + chunk->len, 0xff, DFS_PAYLOAD_PAD);
	memcpy(pred, block.pred, bytes);
	memcpy(to, block.pred, bytes);
	block.pred = way->in_place ? to : pred;
	dfs_scratch_set_cpu(scratch, way->level);
	ret = codec->decode(&block, (struct dfs_span){ payload, chunk->len }, coded->opened, to, scratch, &err);
	CHECK(ret == 0 || err.text[0]);
	CHECK_BYTES(pred, t->pred + chunk->first * size_of(t->shape.dtype), bytes);
	memcpy(out, to, bytes);
	free(pred_room);
	free(out_room);
	free(payload);
	dfs_scratch_free(scratch);
	return ret;
}

void lossy_decode_all(const struct lossy_tensor *t, const struct lossy_coded *coded, const struct lossy_way *way,
		      uint8_t *out)
{
	for (size_t i = coded->n_chunks; i-- > 0;)
		CHECK_RET(0, lossy_decode(t, coded, &coded->chunks[i], way,
					  out + coded->chunks[i].first * size_of(t->shape.dtype)));
}

/* A chunk as it is, decoded by all kernels. Return: 0 or -EUCLEAN, the same of all. */
static int levels_agree(const struct lossy_tensor *t, const struct lossy_coded *coded, const struct lossy_chunk *chunk)
{
	size_t bytes = chunk->n * size_of(t->shape.dtype);
	uint8_t *first = malloc(bytes + DFS_VALUES_PAD), *other = malloc(bytes + DFS_VALUES_PAD);
	int ret = lossy_decode(t, coded, chunk, &(struct lossy_way){ 0 }, first);

	CHECK(ret == 0 || ret == -EUCLEAN);
	for (unsigned level = 1; level <= dfs_cpu_best(); level++) {
		CHECK_RET(ret, lossy_decode(t, coded, chunk, &(struct lossy_way){ level, level, level % 2 }, other));
		if (ret == 0)
			CHECK_BYTES(other, first, bytes);
	}
	free(first);
	free(other);
	return ret;
}

static unsigned damage_payload(const struct lossy_tensor *t, const struct lossy_coded *coded,
			       const struct lossy_chunk *chunk, uint64_t *seed)
{
	struct lossy_chunk damaged = *chunk;
	unsigned refused = 0;

	damaged.payload = malloc(chunk->len + 1);
	CHECK(damaged.payload);
	memcpy(damaged.payload, chunk->payload, chunk->len);
	damaged.payload[chunk->len] = 0;
	damaged.len = random_next(seed) % (chunk->len + 1);
	if (damaged.len == chunk->len)
		damaged.len++;
	refused += levels_agree(t, coded, &damaged) < 0;
	damaged.len = chunk->len;
	for (unsigned i = 0; damaged.len && i <= random_next(seed) % 4; i++)
		damaged.payload[random_next(seed) % damaged.len] ^= (uint8_t)(1 << random_next(seed) % 8);
	refused += levels_agree(t, coded, &damaged) < 0;
	free(damaged.payload);
	return refused;
}

/* The first bytes of a table say most: every other flip is there. */
static unsigned damage_table(const struct lossy_tensor *t, const struct lossy_coded *coded, bool cut_off, uint64_t *seed)
{
	struct lossy_coded damaged = *coded;
	size_t len = cut_off ? random_next(seed) % coded->table.len : coded->table.len;
	uint8_t *bytes = malloc(len ? len : 1);
	int ret;

	CHECK(bytes);
	memcpy(bytes, coded->table.data, len);
	if (!cut_off)
		bytes[random_next(seed) % (random_next(seed) % 2 && len > 16 ? 16 : len)] ^=
			(uint8_t)(1 << random_next(seed) % 8);
	damaged.opened = NULL;
	ret = dfs_lossy_find(coded->codec)->codec->table_open(t->shape, (struct dfs_span){ bytes, len }, false,
							      &damaged.opened, NULL);
	CHECK(ret == -EUCLEAN || (ret == 0 && !cut_off));
	if (ret == 0)
		levels_agree(t, &damaged, &coded->chunks[random_next(seed) % coded->n_chunks]);
	dfs_table_close(damaged.opened);
	free(bytes);
	return ret < 0;
}

unsigned lossy_refuses_damage(const struct lossy_tensor *t, const struct lossy_coded *coded, unsigned rounds)
{
	unsigned refused = 0;
	uint64_t seed = rounds;

	for (unsigned i = 0; i < rounds; i++) {
		refused += damage_payload(t, coded, &coded->chunks[random_next(&seed) % coded->n_chunks], &seed);
		if (coded->table.len)
			refused += damage_table(t, coded, i % 2, &seed);
	}
	return refused;
}
