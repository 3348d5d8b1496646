/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "driven.h"
#include "tensor/convert.h"

#define CHUNK (128u << 10)
#define CHUNK_RECORD 32
#define TENSOR_RECORDS 220

static void *room(size_t len)
{
	void *p = calloc(1, len ? len : 1);

	if (!p) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	return p;
}

uint64_t draw_bits(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Box and Muller's polar method, one of the two. */
double draw_normal(uint64_t *state)
{
	for (;;) {
		double a = (double)(draw_bits(state) >> 11) * 0x1p-52 - 1;
		double b = (double)(draw_bits(state) >> 11) * 0x1p-52 - 1;
		double s = a * a + b * b;

		if (s > 0 && s < 1)
			return a * sqrt(-2 * log(s) / s);
	}
}

struct matrix matrix_make(unsigned dtype, uint64_t rows, uint64_t cols,
			  double (*draw)(uint64_t *state, uint64_t row, uint64_t col), uint64_t seed)
{
	unsigned size = dfs_dtype_info(dtype)->size;
	struct matrix m = {
		.shape = { .dtype = (uint8_t)dtype, .cols = cols, .rows = rows },
		.values = rows * cols,
		.bytes = rows * cols * size,
	};

	m.pred = room(m.bytes + DFS_VALUES_PAD);
	m.data = room(m.bytes + DFS_VALUES_PAD);
	for (size_t i = 0; i < m.values; i++) {
		float pred = (float)(0.02 * draw_normal(&seed)), value;

		dfs_convert(DFS_F32, dtype, &pred, m.pred + i * size, 1);
		dfs_convert(dtype, DFS_F32, m.pred + i * size, &pred, 1);
		value = (float)(pred + draw(&seed, i / cols, i % cols));
		dfs_convert(DFS_F32, dtype, &value, m.data + i * size, 1);
	}
	return m;
}

void matrix_free(struct matrix *m)
{
	free(m->pred);
	free(m->data);
}

struct dfs_block driven_block(const struct driven *d, size_t i, const uint8_t *pred)
{
	uint64_t first = (uint64_t)i * d->chunk_values, left = d->tensor.values - first;

	return (struct dfs_block){
		.shape = d->tensor.shape,
		.first = first,
		.n = left < d->chunk_values ? left : d->chunk_values,
		.pred = pred + first * dfs_dtype_info(d->tensor.shape.dtype)->size,
	};
}

static int delta_of(const struct driven *d, const struct matrix *m, size_t i, float *delta)
{
	struct dfs_block b = driven_block(d, i, m->pred);
	const uint8_t *data = m->data + ((const uint8_t *)b.pred - m->pred);

	return dfs_delta(m->shape.dtype, data, b.pred, delta, b.n) ? 0 : -ERANGE;
}

static int measure(struct driven *d, const struct matrix *m, float *delta, struct dfs_scratch *scratch)
{
	int ret = 0;

	for (unsigned pass = 0; ret == 0 && pass < d->lossy->passes(d->options); pass++) {
		for (size_t i = 0; ret == 0 && i < d->n_chunks; i++) {
			struct dfs_block b = driven_block(d, i, m->pred);

			ret = delta_of(d, m, i, delta);
			if (ret == 0)
				ret = d->lossy->measure(d->options, pass, &b, delta, &d->tensor, scratch);
		}
		if (ret == 0 && d->lossy->settle)
			ret = d->lossy->settle(d->options, pass, &d->tensor);
	}
	if (ret == 0 && d->lossy->plan)
		ret = d->lossy->plan(d->options, &d->tensor, 1, NULL);
	if (ret == 0)
		ret = d->lossy->prepare(d->options, &d->tensor, &d->table, &d->notes, NULL);
	return ret;
}

static int encode(struct driven *d, const struct matrix *m, bool last_first, float *delta,
		  struct dfs_scratch *scratch)
{
	struct dfs_span bytes = { d->table.data, d->table.len }, notes = { d->notes.data, d->notes.len };
	size_t bound = d->lossy->codec->bound(m->shape, d->chunk_values);
	uint8_t *payload = room(bound);
	struct dfs_table *table = NULL;
	int ret = d->lossy->codec->table_open(m->shape, bytes, true, &table, NULL);

	for (size_t k = 0; ret == 0 && k < d->n_chunks; k++) {
		size_t i = last_first ? d->n_chunks - 1 - k : k;
		struct dfs_block b = driven_block(d, i, m->pred);

		ret = delta_of(d, m, i, delta);
		if (ret == 0)
			ret = d->lossy->encode(&b, delta, table, notes, payload, &d->lens[i], scratch);
		d->payloads[i] = room(d->lens[i] + DFS_PAYLOAD_PAD);
		memcpy(d->payloads[i], payload, d->lens[i]);
	}
	dfs_table_close(table);
	free(payload);
	return ret;
}

static void lay_out(struct driven *d, const struct matrix *m)
{
	d->tensor = (struct dfs_lossy_tensor){ .shape = m->shape, .values = m->values };
	if (d->lossy->chunk_rows)
		d->tensor.chunk_rows = d->lossy->chunk_rows(d->options, m->shape);
	d->chunk_values = d->tensor.chunk_rows ? d->tensor.chunk_rows * m->shape.cols :
						 CHUNK / dfs_dtype_info(m->shape.dtype)->size;
	if (d->chunk_values > m->values)
		d->chunk_values = m->values;
	d->n_chunks = (m->values + d->chunk_values - 1) / d->chunk_values;
	d->payloads = room(d->n_chunks * sizeof(*d->payloads));
	d->lens = room(d->n_chunks * sizeof(*d->lens));
	d->tensor.record = room(d->lossy->record_size(d->options, m->shape));
}

int driven_encode(unsigned codec, const char *options, const struct matrix *m, enum dfs_cpu cpu, bool last_first,
		  struct driven *ret_driven)
{
	struct driven *d = ret_driven;
	struct dfs_scratch *scratch;
	float *delta;
	int ret;

	*d = (struct driven){ .lossy = dfs_lossy_find(codec) };
	ret = dfs_lossy_parse(d->lossy, options, d->options, NULL);
	if (ret < 0)
		return ret;
	if (d->lossy->takes && !d->lossy->takes(d->options, m->shape))
		return -ERANGE;
	lay_out(d, m);
	scratch = dfs_scratch_new();
	dfs_scratch_set_cpu(scratch, cpu);
	delta = room(d->chunk_values * sizeof(*delta));
	ret = measure(d, m, delta, scratch);
	if (ret == 0)
		ret = encode(d, m, last_first, delta, scratch);
	free(delta);
	dfs_scratch_free(scratch);
	return ret;
}

void driven_free(struct driven *d)
{
	for (size_t i = 0; i < d->n_chunks; i++)
		free(d->payloads[i]);
	free(d->payloads);
	free(d->lens);
	free(d->tensor.record);
	dfs_buf_release(&d->table);
	dfs_buf_release(&d->notes);
}

int driven_decode(const struct driven *d, const struct matrix *m, enum dfs_cpu cpu, uint8_t *out)
{
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct dfs_table *table = NULL;
	int ret = d->lossy->codec->table_open(m->shape, (struct dfs_span){ d->table.data, d->table.len }, false,
					      &table, NULL);

	dfs_scratch_set_cpu(scratch, cpu);
	for (size_t i = d->n_chunks; ret == 0 && i-- > 0;) {
		struct dfs_block b = driven_block(d, i, m->pred);

		ret = d->lossy->codec->decode(&b, (struct dfs_span){ d->payloads[i], d->lens[i] }, table,
					      out + ((const uint8_t *)b.pred - m->pred), scratch, NULL);
	}
	dfs_table_close(table);
	dfs_scratch_free(scratch);
	return ret;
}

size_t driven_bytes(const struct driven *d)
{
	size_t bytes = d->table.len + TENSOR_RECORDS + d->n_chunks * CHUNK_RECORD;

	for (size_t i = 0; i < d->n_chunks; i++)
		bytes += d->lens[i];
	return bytes;
}
