/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lossy_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "samples.h"
#include "tensor/convert.h"

#define CHUNK_BYTES (128u << 10)
#define CHUNK_RECORD 32
#define TENSOR_RECORD 220

static void must(bool claim, const char *what)
{
	if (claim)
		return;
	fprintf(stderr, "lossy_model: %s\n", what);
	exit(1);
}

static void *room(size_t len)
{
	void *p = calloc(1, len);

	must(p != NULL, "out of memory");
	return p;
}

struct lossy_model *lossy_model_new(unsigned codec, const char *spec)
{
	struct lossy_model *m = room(sizeof(*m));
	struct dfs_err err;

	m->lossy = dfs_lossy_find(codec);
	must(m->lossy != NULL, "no such codec");
	must(dfs_lossy_parse(m->lossy, spec, m->options, &err) == 0, "options");
	m->chunk_bytes = CHUNK_BYTES;
	m->cpu = dfs_cpu_best();
	return m;
}

void lossy_model_free(struct lossy_model *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct lossy_tensor *t = &m->tensors[i];

		for (size_t k = 0; k < t->n_chunks; k++)
			free(t->chunks[k].payload);
		free(t->chunks);
		free(t->pred);
		free(t->data);
		free(t->as.record);
		dfs_buf_release(&t->table);
		dfs_buf_release(&t->notes);
		dfs_table_close(t->writing);
		dfs_table_close(t->reading);
	}
	free(m);
}

/* --- values */

static double uniform(uint64_t *seed)
{
	return ((double)(random_next(seed) >> 11) + 0.5) * 0x1p-53;
}

static double gaussian(uint64_t *seed)
{
	double radius = sqrt(-2 * log(uniform(seed)));

	return radius * cos(2 * M_PI * uniform(seed));
}

static double delta_of(enum delta_kind kind, double size, uint64_t *seed)
{
	double g = gaussian(seed), u = uniform(seed);

	switch (kind) {
	case GAUSSIAN:
	case LARGE:
	case ALONE:
		return g * size;
	case LAPLACE:
		return (g < 0 ? -1 : 1) * size * -log(u);
	case ONE_VALUE:
		return size;
	case HALF:
	case POSITIVE:
		return u < 0.25 ? 0 : fabs(g) * size;
	case FEW_MOVED:
		return u < 0.9 ? 0 : g * size;
	default:
		return 0;
	}
}

static void fill(struct lossy_tensor *t, enum delta_kind kind, double size, uint64_t seed)
{
	unsigned dtype = t->as.shape.dtype;

	for (size_t i = 0; i < t->as.values; i++) {
		double base = 0.02 * gaussian(&seed), delta = delta_of(kind, size, &seed), sum;

		/* all of the difference counts: the base is a number that it can be added to */
		if (kind == ONE_VALUE || kind == ALONE || kind == HALF)
			base = 0;
		sum = base;
		dfs_convert(DFS_F64, dtype, &base, t->pred + i * t->unit, 1);
		dfs_convert(dtype, DFS_F64, t->pred + i * t->unit, &base, 1);
		sum = base + delta;
		dfs_convert(DFS_F64, dtype, &sum, t->data + i * t->unit, 1);
	}
}

double lossy_model_value(const struct lossy_tensor *t, const uint8_t *values, size_t i)
{
	double value;

	dfs_convert(t->as.shape.dtype, DFS_F64, values + i * t->unit, &value, 1);
	return value;
}

double lossy_model_delta(const struct lossy_tensor *t, size_t i)
{
	return (double)((float)lossy_model_value(t, t->data, i) - (float)lossy_model_value(t, t->pred, i));
}

/* --- tensors and chunks */

static void cut(const struct lossy_model *m, struct lossy_tensor *t)
{
	size_t most = m->chunk_bytes / t->unit, first = m->first_bytes / t->unit;
	uint64_t at = 0;

	t->chunks = room((t->as.values / most + 2) * sizeof(*t->chunks));
	while (at < t->as.values) {
		size_t n = at == 0 && first ? first : most;

		n = n < t->as.values - at ? n : t->as.values - at;
		t->chunks[t->n_chunks++] = (struct lossy_chunk){
			.first = at,
			.n = n,
			.payload = room(m->lossy->codec->bound(t->as.shape, n) + DFS_PAYLOAD_PAD),
		};
		at += n;
	}
}

struct lossy_tensor *lossy_model_add(struct lossy_model *m, unsigned dtype, uint64_t rows, uint64_t cols,
				     enum delta_kind kind, double size, uint64_t seed)
{
	struct lossy_tensor *t = &m->tensors[m->n];

	must(m->n < sizeof(m->tensors) / sizeof(*m->tensors), "too many tensors");
	t->as = (struct dfs_lossy_tensor){
		.shape = { .dtype = (uint8_t)dtype, .rows = rows, .cols = cols },
		.number = (uint32_t)m->n,
		.values = rows * cols,
	};
	must(m->lossy->codec->accepts(t->as.shape), "shape");
	m->n++;
	t->unit = dfs_dtype_info(dtype)->size;
	t->bytes = t->as.values * t->unit;
	t->pred = room(t->bytes + DFS_VALUES_PAD);
	t->data = room(t->bytes + DFS_VALUES_PAD);
	t->as.record = room(m->lossy->record_size(m->options, t->as.shape));
	fill(t, kind, size, seed);
	cut(m, t);
	return t;
}

struct dfs_block lossy_model_block(const struct lossy_tensor *t, size_t i)
{
	return (struct dfs_block){
		.shape = t->as.shape,
		.first = t->chunks[i].first,
		.n = t->chunks[i].n,
		.pred = t->pred + t->chunks[i].first * t->unit,
	};
}

/* --- coding */

static void take_delta(const struct lossy_tensor *t, const struct dfs_block *block, float *delta)
{
	must(dfs_delta(block->shape.dtype, t->data + block->first * t->unit, block->pred, delta, block->n),
	     "differences that are not finite");
}

static void measure(struct lossy_model *m, struct lossy_tensor *t, float *delta, struct dfs_scratch *scratch)
{
	for (unsigned pass = 0; pass < m->lossy->passes(m->options); pass++) {
		for (size_t i = 0; i < t->n_chunks; i++) {
			struct dfs_block block = lossy_model_block(t, i);

			take_delta(t, &block, delta);
			must(m->lossy->measure(m->options, pass, &block, delta, &t->as, scratch) == 0, "measure");
		}
		must(!m->lossy->settle || m->lossy->settle(m->options, pass, &t->as) == 0, "settle");
	}
}

static void encode(struct lossy_model *m, struct lossy_tensor *t, float *delta, struct dfs_scratch *scratch)
{
	struct dfs_span bytes, notes;
	struct dfs_err err;

	t->prepared = m->lossy->prepare(m->options, &t->as, &t->table, &t->notes, &err);
	if (t->prepared < 0)
		return;
	bytes = (struct dfs_span){ t->table.data, t->table.len };
	notes = (struct dfs_span){ t->notes.data, t->notes.len };
	must(m->lossy->codec->table_open(t->as.shape, bytes, true, &t->writing, &err) == 0, "table");
	must(m->lossy->codec->table_open(t->as.shape, bytes, false, &t->reading, &err) == 0, "table");
	for (size_t i = 0; i < t->n_chunks; i++) {
		size_t which = m->backwards ? t->n_chunks - 1 - i : i;
		struct dfs_block block = lossy_model_block(t, which);
		struct lossy_chunk *chunk = &t->chunks[which];

		take_delta(t, &block, delta);
		must(m->lossy->encode(&block, delta, t->writing, notes, chunk->payload, &chunk->len, scratch) == 0,
		     "encode");
		must(chunk->len <= m->lossy->codec->bound(t->as.shape, chunk->n), "bound");
		must(chunk->len <= chunk->n * t->unit, "a payload longer than what it stands for");
	}
}

void lossy_model_code(struct lossy_model *m)
{
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct dfs_lossy_tensor tensors[16];
	float *delta = room(CHUNK_BYTES * sizeof(*delta));

	must(scratch != NULL, "out of memory");
	dfs_scratch_set_cpu(scratch, m->cpu);
	for (size_t i = 0; i < m->n; i++) {
		measure(m, &m->tensors[i], delta, scratch);
		tensors[i] = m->tensors[i].as;
	}
	must(!m->lossy->plan || m->lossy->plan(m->options, tensors, m->n, NULL) == 0, "plan");
	for (size_t i = 0; i < m->n; i++)
		encode(m, &m->tensors[i], delta, scratch);
	free(delta);
	dfs_scratch_free(scratch);
}

int lossy_model_decode(const struct lossy_tensor *t, const struct dfs_codec *codec, enum dfs_cpu cpu, uint8_t *out)
{
	struct dfs_scratch *scratch = dfs_scratch_new();
	int ret = 0;

	must(scratch != NULL, "out of memory");
	dfs_scratch_set_cpu(scratch, cpu);
	for (size_t i = 0; i < t->n_chunks && ret == 0; i++) {
		struct dfs_block block = lossy_model_block(t, i);
		struct dfs_span payload = { t->chunks[i].payload, t->chunks[i].len };

		ret = codec->decode(&block, payload, t->reading, out + block.first * t->unit, scratch, NULL);
	}
	dfs_scratch_free(scratch);
	return ret;
}

double lossy_model_bits(const struct lossy_model *m)
{
	double bytes = 0, values = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct lossy_tensor *t = &m->tensors[i];

		bytes += (double)t->table.len + TENSOR_RECORD;
		values += (double)t->as.values;
		for (size_t k = 0; k < t->n_chunks; k++)
			bytes += (double)t->chunks[k].len + CHUNK_RECORD;
	}
	return 8 * bytes / values;
}
