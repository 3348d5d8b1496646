/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "drive.h"

#include <stdio.h>
#include <stdlib.h>

#include "samples.h"
#include "tensor/convert.h"

static void need(bool claim, const char *what)
{
	if (claim)
		return;
	fprintf(stderr, "drive: %s\n", what);
	abort();
}

static void *room(size_t len)
{
	void *p = calloc(1, len + 1);

	need(p != NULL, "out of memory");
	return p;
}

static struct dfs_span span(const struct dfs_buf *buf)
{
	return (struct dfs_span){ buf->data, buf->len };
}

struct drive *drive_new(unsigned codec, const char *options, unsigned dtype, uint64_t rows, uint64_t cols,
			uint32_t chunk_rows)
{
	struct drive *d = room(sizeof(*d));
	uint64_t state = rows * 1000003 + cols;
	float *values = room(rows * cols * sizeof(*values));

	d->lossy = dfs_lossy_find(codec);
	need(dfs_lossy_parse(d->lossy, options, d->options, &d->err) == 0, d->err.text);
	d->unit = dfs_dtype_info(dtype)->size;
	d->tensor.shape = (struct dfs_shape){ .dtype = (uint8_t)dtype, .rows = rows, .cols = cols };
	d->tensor.values = rows * cols;
	d->tensor.chunk_rows = chunk_rows ? chunk_rows : d->lossy->chunk_rows(d->options, d->tensor.shape);
	need(d->tensor.chunk_rows > 0, "no chunk_rows");
	d->chunks = (size_t)((rows + d->tensor.chunk_rows - 1) / d->tensor.chunk_rows);
	d->payloads = room(d->chunks * sizeof(*d->payloads));
	d->lens = room(d->chunks * sizeof(*d->lens));
	d->pred = room(rows * cols * d->unit);
	d->data = room(rows * cols * d->unit);
	for (uint64_t i = 0; i < rows * cols; i++)
		values[i] = 0.04f * ((float)(random_next(&state) >> 40) / 0x1p24f - 0.5f);
	dfs_convert(DFS_F32, dtype, values, d->pred, rows * cols);
	memcpy(d->data, d->pred, rows * cols * d->unit);
	free(values);
	return d;
}

static void forget(struct drive *d)
{
	for (size_t i = 0; i < d->chunks; i++) {
		free(d->payloads[i]);
		d->payloads[i] = NULL;
	}
	dfs_buf_release(&d->table);
	dfs_buf_release(&d->notes);
}

void drive_free(struct drive *d)
{
	forget(d);
	free(d->payloads);
	free(d->lens);
	free(d->pred);
	free(d->data);
	free(d);
}

float *drive_floats(const struct drive *d, const uint8_t *values)
{
	float *floats = room(d->tensor.values * sizeof(*floats));

	dfs_convert(d->tensor.shape.dtype, DFS_F32, values, floats, d->tensor.values);
	return floats;
}

void drive_set(struct drive *d, const float *differences)
{
	float *values = drive_floats(d, d->pred);

	for (uint64_t i = 0; i < d->tensor.values; i++)
		values[i] += differences[i];
	dfs_convert(DFS_F32, d->tensor.shape.dtype, values, d->data, d->tensor.values);
	free(values);
}

float *drive_delta(const struct drive *d)
{
	float *delta = room(d->tensor.values * sizeof(*delta));

	need(dfs_delta(d->tensor.shape.dtype, d->data, d->pred, delta, d->tensor.values), "data that no codec may see");
	return delta;
}

struct dfs_block drive_block(const struct drive *d, size_t chunk)
{
	uint64_t values = d->tensor.chunk_rows * d->tensor.shape.cols, first = chunk * values;

	return (struct dfs_block){
		.shape = d->tensor.shape,
		.first = first,
		.n = d->tensor.values - first < values ? d->tensor.values - first : values,
		.pred = d->pred + first * d->unit,
	};
}

/* Each chunk's differences in a buffer of just their length, so that a step too far is seen. */
static float *chunk_delta(const struct drive *d, const struct dfs_block *b)
{
	float *delta = malloc(b->n * sizeof(*delta));

	need(delta && dfs_delta(b->shape.dtype, d->data + b->first * d->unit, b->pred, delta, b->n), "no differences");
	return delta;
}

static int prepare(struct drive *d, struct dfs_scratch *scratch)
{
	for (unsigned pass = 0; pass < d->lossy->passes(d->options); pass++) {
		for (size_t i = 0; i < d->chunks; i++) {
			struct dfs_block b = drive_block(d, i);
			float *delta = chunk_delta(d, &b);

			need(d->lossy->measure(d->options, pass, &b, delta, &d->tensor, scratch) == 0, "measure");
			free(delta);
		}
		if (d->lossy->settle)
			need(d->lossy->settle(d->options, pass, &d->tensor) == 0, "settle");
	}
	if (d->lossy->plan)
		need(d->lossy->plan(d->options, &d->tensor, 1, &d->err) == 0, d->err.text);
	return d->lossy->prepare(d->options, &d->tensor, &d->table, &d->notes, &d->err);
}

static void encode_chunk(struct drive *d, size_t i, const struct dfs_table *table, struct dfs_scratch *scratch)
{
	struct dfs_block b = drive_block(d, i);
	float *delta = chunk_delta(d, &b);
	uint8_t *payload = room(d->lossy->codec->bound(b.shape, b.n));

	need(d->lossy->encode(&b, delta, table, span(&d->notes), payload, &d->lens[i], scratch) == 0, "encode");
	d->payloads[i] = room(d->lens[i] + DFS_PAYLOAD_PAD);
	memcpy(d->payloads[i], payload, d->lens[i]);
	memset(d->payloads[i] + d->lens[i], 0xa5, DFS_PAYLOAD_PAD);
	free(payload);
	free(delta);
}

int drive_encode(struct drive *d)
{
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct dfs_table *table = NULL;
	int ret;

	forget(d);
	d->tensor.record = room(d->lossy->record_size(d->options, d->tensor.shape));
	ret = prepare(d, scratch);
	if (ret == 0) {
		need(d->lossy->codec->table_open(d->tensor.shape, span(&d->table), true, &table, &d->err) == 0,
		     d->err.text);
		for (size_t i = d->chunks; i-- > 0;)
			encode_chunk(d, i, table, scratch);
	}
	dfs_table_close(table);
	free(d->tensor.record);
	dfs_scratch_free(scratch);
	return ret;
}

int drive_decode(struct drive *d, enum dfs_cpu level, uint8_t *out)
{
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct dfs_table *table = NULL;
	int ret = d->lossy->codec->table_open(d->tensor.shape, span(&d->table), false, &table, &d->err);

	dfs_scratch_set_cpu(scratch, level);
	for (size_t i = d->chunks; i-- > 0 && ret == 0;) {
		struct dfs_block b = drive_block(d, i);
		uint8_t *chunk = malloc(b.n * d->unit + DFS_VALUES_PAD);

		need(chunk != NULL, "out of memory");
		ret = d->lossy->codec->decode(&b, (struct dfs_span){ d->payloads[i], d->lens[i] }, table, chunk, scratch,
					      &d->err);
		if (ret == 0)
			memcpy(out + b.first * d->unit, chunk, b.n * d->unit);
		free(chunk);
	}
	dfs_table_close(table);
	dfs_scratch_free(scratch);
	return ret;
}

size_t drive_bytes(const struct drive *d)
{
	size_t bytes = d->table.len + 220 + 32 * d->chunks;

	for (size_t i = 0; i < d->chunks; i++)
		bytes += d->lens[i];
	return bytes;
}
