/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "driven.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CHUNK_BYTES (128u << 10)
#define CHUNK_RECORD 32
#define TENSOR_RECORDS 220

static void need(bool claim, const char *what)
{
	if (claim)
		return;
	fprintf(stderr, "driven: %s\n", what);
	abort();
}

static void *room(size_t len)
{
	void *p = malloc(len ? len : 1);

	need(p != NULL, "out of memory");
	return p;
}

static void *zeros(size_t len)
{
	return memset(room(len), 0, len);
}

static struct dfs_span span(const struct dfs_buf *buf)
{
	return (struct dfs_span){ buf->data, buf->len };
}

/* --- chunks */

static void cut(const struct driver *how, struct driven *d)
{
	size_t n = d->tensor.values, most = CHUNK_BYTES / d->matrix->unit, chunk, head;

	chunk = d->tensor.chunk_rows ? d->tensor.chunk_rows * d->tensor.shape.cols : how->chunk ? how->chunk : most;
	head = how->head && !d->tensor.chunk_rows ? how->head : chunk;
	d->chunks = zeros((n / chunk + 2) * sizeof(*d->chunks));
	for (uint64_t at = 0; at < n; d->n_chunks++) {
		struct driven_chunk *c = &d->chunks[d->n_chunks];

		c->first = at;
		c->n = at ? chunk : head;
		c->n = c->n < n - at ? c->n : n - at;
		at += c->n;
	}
}

void driven_cut(const struct driver *how, const struct matrix *m, struct driven *d)
{
	struct dfs_err err = { "" };

	*d = (struct driven){
		.lossy = dfs_lossy_find(how->codec),
		.matrix = m,
		.tensor = { .shape = m->shape, .values = m->n, .chunk_rows = how->chunk_rows },
	};
	need(d->lossy && d->lossy->codec->accepts(m->shape), "no such codec, or no such shape");
	need(dfs_lossy_parse(d->lossy, how->options, d->options, &err) == 0, err.text);
	if (!how->chunk_rows && d->lossy->chunk_rows)
		d->tensor.chunk_rows = d->lossy->chunk_rows(d->options, m->shape);
	cut(how, d);
}

void driven_free(struct driven *d)
{
	for (size_t i = 0; i < d->n_chunks; i++)
		free(d->chunks[i].payload);
	free(d->chunks);
	free(d->tensor.record);
	dfs_buf_release(&d->table);
	dfs_buf_release(&d->notes);
}

struct dfs_block driven_block(const struct driven *d, const struct driven_chunk *chunk)
{
	return (struct dfs_block){
		.shape = d->tensor.shape,
		.first = chunk->first,
		.n = chunk->n,
		.pred = d->matrix->pred + chunk->first * d->matrix->unit,
	};
}

bool driven_same(const struct driven *a, const struct driven *b)
{
	bool same = a->table.len == b->table.len && a->n_chunks == b->n_chunks && a->ret == b->ret;

	same = same && (!a->table.len || memcmp(a->table.data, b->table.data, a->table.len) == 0);
	for (size_t i = 0; i < a->n_chunks && same; i++)
		same = a->chunks[i].len == b->chunks[i].len &&
		       (!a->chunks[i].len || memcmp(a->chunks[i].payload, b->chunks[i].payload, a->chunks[i].len) == 0);
	return same;
}

bool driven_shrinks(const struct driven *d)
{
	for (size_t i = 0; i < d->n_chunks; i++)
		if (d->chunks[i].len > d->chunks[i].n * d->matrix->unit)
			return false;
	return true;
}

size_t driven_bytes(const struct driven *d)
{
	size_t bytes = d->table.len + TENSOR_RECORDS + d->n_chunks * CHUNK_RECORD;

	for (size_t i = 0; i < d->n_chunks; i++)
		bytes += d->chunks[i].len;
	return bytes;
}

/* --- encoding */

/* The differences of a chunk, in memory of just their length; free() them. */
static float *delta_of(const struct driven *d, const struct dfs_block *b)
{
	float *delta = room(b->n * sizeof(*delta));

	need(dfs_delta(b->shape.dtype, d->matrix->data + b->first * d->matrix->unit, b->pred, delta, b->n),
	     "differences that no codec may see");
	return delta;
}

static void measure(struct driven *d, struct dfs_scratch *scratch)
{
	d->tensor.record = zeros(d->lossy->record_size(d->options, d->tensor.shape));
	for (unsigned pass = 0; pass < d->lossy->passes(d->options); pass++) {
		for (size_t i = 0; i < d->n_chunks; i++) {
			struct dfs_block b = driven_block(d, &d->chunks[i]);
			float *delta = delta_of(d, &b);

			need(d->lossy->measure(d->options, pass, &b, delta, &d->tensor, scratch) == 0, "measure");
			free(delta);
		}
		if (d->lossy->settle)
			need(d->lossy->settle(d->options, pass, &d->tensor) == 0, "settle");
	}
}

static void plan(const struct driven *driven, size_t n)
{
	struct dfs_lossy_tensor *tensors = room(n * sizeof(*tensors));
	struct dfs_err err = { "" };
	size_t taken = 0;

	for (size_t i = 0; i < n; i++)
		if (driven[i].ret == 0)
			tensors[taken++] = driven[i].tensor;
	if (taken && driven->lossy->plan)
		need(driven->lossy->plan(driven->options, tensors, taken, &err) == 0, err.text);
	free(tensors);
}

static void encode_chunk(struct driven *d, struct driven_chunk *c, const struct dfs_table *table,
			 struct dfs_scratch *scratch)
{
	struct dfs_block b = driven_block(d, c);
	size_t bound = d->lossy->codec->bound(b.shape, b.n);
	uint8_t *payload = room(bound);
	float *delta = room(b.n * sizeof(*delta));

	need(dfs_lossy_encode(d->lossy, &b, d->matrix->data + b.first * d->matrix->unit, delta, table, span(&d->notes),
			      payload, &c->len, scratch) == 0, "encode");
	need(c->len <= bound, "a payload longer than its bound");
	c->payload = room(c->len + DFS_PAYLOAD_PAD);
	memcpy(c->payload, payload, c->len);
	memset(c->payload + c->len, 0xff, DFS_PAYLOAD_PAD);
	free(payload);
	free(delta);
}

static void encode(const struct driver *how, struct driven *d, struct dfs_scratch *scratch)
{
	struct dfs_table *table;
	struct dfs_err err = { "" };

	d->ret = d->lossy->prepare(d->options, &d->tensor, &d->table, &d->notes, &err);
	need(d->ret == 0 || d->ret == -ERANGE, err.text);
	if (d->ret < 0)
		return;
	need(driven_open(d, d->table.data, d->table.len, true, &table) == 0, "the table is refused");
	for (size_t k = 0; k < d->n_chunks; k++)
		encode_chunk(d, &d->chunks[how->backwards ? d->n_chunks - 1 - k : k], table, scratch);
	dfs_table_close(table);
}

int drive(const struct driver *how, const struct matrix *matrices, size_t n, struct driven *driven)
{
	struct dfs_scratch *own = how->scratch ? NULL : dfs_scratch_new(), *scratch = how->scratch ? how->scratch : own;
	int ret = 0;

	need(scratch != NULL, "out of memory");
	for (size_t i = 0; i < n; i++) {
		struct driven *d = &driven[i];

		driven_cut(how, &matrices[i], d);
		d->tensor.number = (uint32_t)i;
		d->ret = d->lossy->takes && !d->lossy->takes(d->options, d->tensor.shape) ? -ERANGE : 0;
		if (d->ret == 0)
			measure(d, scratch);
	}
	plan(driven, n);
	for (size_t i = 0; i < n; i++) {
		if (driven[i].ret == 0)
			encode(how, &driven[i], scratch);
		ret = ret ? ret : driven[i].ret;
	}
	dfs_scratch_free(own);
	return ret;
}

/* --- decoding */

int driven_open(const struct driven *d, const uint8_t *bytes, size_t len, bool encoding, struct dfs_table **ret_table)
{
	uint8_t *copy = room(len);
	struct dfs_err err = { "" };
	int ret;

	if (len)
		memcpy(copy, bytes, len);
	*ret_table = NULL;
	ret = d->lossy->codec->table_open(d->tensor.shape, (struct dfs_span){ copy, len }, encoding, ret_table, &err);
	need(ret == 0 || (ret == -EUCLEAN && err.text[0]), "a table is refused without a word");
	need(!*ret_table == (ret < 0), "a table that is refused is there, or one that is taken is not");
	free(copy);
	return ret;
}

#define LINE 64	/* of the cache; skew counts from its beginning */

/* @len bytes at @skew behind a line, and no byte behind them. */
static uint8_t *skewed(void **ret_room, size_t len, unsigned skew)
{
	need(posix_memalign(ret_room, LINE, len + skew) == 0, "out of memory");
	return (uint8_t *)*ret_room + skew;
}

int driven_decode_chunk(const struct driven *d, const struct dfs_table *table, const struct driven_chunk *chunk,
			struct way way, uint8_t *out)
{
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct dfs_block b = driven_block(d, chunk);
	size_t bytes = b.n * d->matrix->unit;
	void *pred_room, *payload_room, *out_room;
	uint8_t *pred = skewed(&pred_room, bytes + DFS_VALUES_PAD, way.skew);
	uint8_t *payload = skewed(&payload_room, chunk->len + DFS_PAYLOAD_PAD, way.skew);
	uint8_t *to = skewed(&out_room, bytes + DFS_VALUES_PAD, way.skew);
	const uint8_t *original = b.pred;
	struct dfs_err err = { "" };
	int ret;

	need(scratch != NULL, "out of memory");
	memcpy(pred, original, bytes);
	memset(payload, 0xff, chunk->len + DFS_PAYLOAD_PAD);
	if (chunk->len)
		memcpy(payload, chunk->payload, chunk->len);
	memset(to, 0x5a, bytes);
	if (way.in_place)
		memcpy(to, original, bytes);
	b.pred = way.in_place ? to : pred;
	dfs_scratch_set_cpu(scratch, way.level);
	ret = d->lossy->codec->decode(&b, (struct dfs_span){ payload, chunk->len }, table, to, scratch, &err);
	need(ret == 0 || err.text[0], "a payload is refused without a word");
	need(memcmp(pred, original, bytes) == 0, "the prediction is not what it was");
	memcpy(out, to, bytes);
	free(pred_room);
	free(payload_room);
	free(out_room);
	dfs_scratch_free(scratch);
	return ret;
}

int driven_agree(const struct driven *d, const struct dfs_table *table, const struct driven_chunk *chunk)
{
	size_t bytes = chunk->n * d->matrix->unit;
	uint8_t *first = room(bytes), *other = room(bytes);
	int ret = driven_decode_chunk(d, table, chunk, (struct way){ .level = DFS_CPU_PORTABLE }, first);

	need(ret == 0 || ret == -EUCLEAN, "decoding fails in an odd way");
	for (unsigned level = 0; level < DFS_CPU_LEVELS; level++) {
		struct way way = { level, level + 1, level % 2 };

		need(driven_decode_chunk(d, table, chunk, way, other) == ret, "one kernel refuses what another takes");
		need(ret < 0 || memcmp(first, other, bytes) == 0, "two kernels decode otherwise");
	}
	free(first);
	free(other);
	return ret;
}

int driven_decode(const struct driven *d, struct way way, uint8_t *out)
{
	struct dfs_table *table;
	int ret = driven_open(d, d->table.data, d->table.len, false, &table);

	for (size_t i = d->n_chunks; ret == 0 && i-- > 0;)
		ret = driven_decode_chunk(d, table, &d->chunks[i], way, out + d->chunks[i].first * d->matrix->unit);
	dfs_table_close(table);
	return ret;
}

void driven_decode_alike(const struct driven *d, uint8_t *out)
{
	uint8_t *other = room(d->matrix->bytes);

	need(driven_decode(d, (struct way){ .level = DFS_CPU_PORTABLE }, out) == 0, "is not decoded");
	for (unsigned i = 0; i < DFS_CPU_LEVELS * 4; i++) {
		struct way way = { i / 4, i % 2, i / 2 % 2 };

		need(driven_decode(d, way, other) == 0, "is not decoded");
		need(memcmp(out, other, d->matrix->bytes) == 0, "decodes to something else");
	}
	free(other);
}
