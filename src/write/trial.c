/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/trial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "write/sample.h"

/* Tensors that are tried, evenly spread over all, and values of each: a fraction of a second a codec. */
#define TENSORS 6
#define VALUES (512u << 10)
#define ROWS 64		/* whole patches of any size */
/* Values in a chunk that is not cut by rows, about; what a chunk and a tensor take of a container's metadata. */
#define CHUNK_VALUES 65536
#define CHUNK_BYTES 32
#define TENSOR_BYTES 128

/* The first rows of one tensor. */
struct piece {
	struct dfs_lossy_tensor tensor;
	uint8_t *data, *pred;
	float *delta;
	struct dfs_buf table, notes;
	bool declined;		/* it would be coded exactly */
	uint64_t stored, exact_stored;
	double seconds, exact_seconds;
};

struct trial {
	const struct dfs_work *w;
	struct dfs_hand *hand;
	struct piece pieces[TENSORS];
	unsigned n;
};

static void piece_release(struct piece *p)
{
	free(p->tensor.record);
	free(p->data);
	free(p->pred);
	free(p->delta);
	dfs_buf_release(&p->table);
	dfs_buf_release(&p->notes);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Chunk @i of a piece. Return: false: there is none. */
static bool piece_block(const struct piece *p, uint64_t i, struct dfs_block *ret_block)
{
	const struct dfs_lossy_tensor *t = &p->tensor;
	uint64_t each = t->chunk_rows ? t->chunk_rows * t->shape.cols : CHUNK_VALUES;
	unsigned size = dfs_dtype_info(t->shape.dtype)->size;

	if (i * each >= t->values)
		return false;
	*ret_block = (struct dfs_block){
		.shape = t->shape, .first = i * each,
		.n = t->values - i * each < each ? t->values - i * each : each,
		.pred = p->pred + i * each * size,
	};
	return true;
}

static void piece_delta(struct piece *p, const struct dfs_block *block)
{
	unsigned size = dfs_dtype_info(block->shape.dtype)->size;

	p->declined |= !dfs_delta(block->shape.dtype, p->data + block->first * size, block->pred, p->delta, block->n);
}

static int piece_read(struct trial *t, uint32_t segment, struct piece *p, struct dfs_err *err)
{
	const struct dfs_work *w = t->w;
	const struct dfs_segment *seg = &w->c.segments[segment];
	struct dfs_span_place place = { .segment = segment, .off = seg->off };
	struct dfs_shape shape = w->segments[segment].shape;
	uint64_t whole = (VALUES / shape.cols / ROWS + 1) * ROWS;
	int ret;

	if (shape.rows > whole)
		shape.rows = whole;
	p->tensor = w->segments[segment].lossy->tensor;
	p->tensor.shape = shape;
	p->tensor.values = shape.rows * shape.cols;
	place.len = p->tensor.values * dfs_segment_unit(seg);
	ret = dfs_expect_read(w, &place, &t->hand->span, err);
	if (ret == 0)
		ret = dfs_expect(w, &place, t->hand, &t->hand->span, err);
	if (ret < 0)
		return ret;
	p->data = malloc(place.len + DFS_VALUES_PAD);
	p->pred = malloc(place.len + DFS_VALUES_PAD);
	p->delta = malloc(p->tensor.values * sizeof(*p->delta));
	p->tensor.record = calloc(1, w->spec->lossy->record_size(w->spec->options, shape));
	if (!p->data || !p->pred || !p->delta || !p->tensor.record)
		return dfs_fail(err, ENOMEM, "out of memory");
	memcpy(p->data, t->hand->span.input, place.len);
	memcpy(p->pred, t->hand->span.values, place.len);
	return 0;
}

static int piece_measure(struct trial *t, struct piece *p)
{
	const struct dfs_spec *spec = t->w->spec;
	double start = now();
	struct dfs_block block;
	int ret = 0;

	for (unsigned pass = 0; pass < spec->lossy->passes(spec->options) && ret == 0; pass++) {
		for (uint64_t i = 0; ret == 0 && piece_block(p, i, &block); i++) {
			piece_delta(p, &block);
			if (p->declined)
				return 0;
			ret = spec->lossy->measure(spec->options, pass, &block, p->delta, &p->tensor, t->hand->scratch);
		}
		if (ret == 0 && spec->lossy->settle)
			ret = spec->lossy->settle(spec->options, pass, &p->tensor);
	}
	p->seconds += now() - start;
	return ret;
}

static int piece_encode(struct trial *t, struct piece *p, const struct dfs_table *table)
{
	const struct dfs_lossy *lossy = t->w->spec->lossy;
	struct dfs_span notes = { p->notes.data, p->notes.len };
	DFS_AUTO(mem) uint8_t *payload = malloc(lossy->codec->bound(p->tensor.shape, p->tensor.values) + DFS_PAYLOAD_PAD);
	struct dfs_block block;
	size_t len;
	int ret = payload ? 0 : -ENOMEM;

	p->stored = p->table.len + TENSOR_BYTES;
	for (uint64_t i = 0; ret == 0 && piece_block(p, i, &block); i++) {
		piece_delta(p, &block);
		ret = lossy->encode(&block, p->delta, table, notes, payload, &len, t->hand->scratch);
		p->stored += len + CHUNK_BYTES;
	}
	return ret;
}

static int piece_code(struct trial *t, struct piece *p, struct dfs_err *err)
{
	const struct dfs_spec *spec = t->w->spec;
	struct dfs_table *table = NULL;
	double start = now();
	int ret = spec->lossy->prepare(spec->options, &p->tensor, &p->table, &p->notes, err);

	if (ret == -ERANGE) {
		p->declined = true;
		return 0;
	}
	if (ret == 0)
		ret = spec->lossy->codec->table_open(p->tensor.shape, (struct dfs_span){ p->table.data, p->table.len },
						     true, &table, err);
	if (ret == 0)
		ret = piece_encode(t, p, table);
	dfs_table_close(table);
	p->seconds += now() - start;
	return ret;
}

static int exact_chunks(struct trial *t, struct piece *p, const struct dfs_exact_tables *tables)
{
	unsigned codec, size = dfs_dtype_info(p->tensor.shape.dtype)->size;
	DFS_AUTO(mem) uint8_t *payload = malloc(dfs_exact_bound(p->tensor.shape, p->tensor.values) + DFS_PAYLOAD_PAD);
	struct dfs_block block;
	size_t len;
	int ret = payload ? 0 : -ENOMEM;

	for (uint64_t i = 0; ret == 0 && piece_block(p, i, &block); i++) {
		ret = dfs_exact_encode(&block, p->data + block.first * size, tables, payload, &len, &codec, t->hand->scratch);
		p->exact_stored += len + CHUNK_BYTES;
	}
	return ret;
}

static int piece_exact(struct trial *t, struct piece *p, struct dfs_err *err)
{
	unsigned size = dfs_dtype_info(p->tensor.shape.dtype)->size;
	struct dfs_exact_record *record = dfs_exact_record_new(p->tensor.shape, true);
	struct dfs_exact_tables *tables = NULL;
	double start = now();
	struct dfs_block block;
	int ret = record ? 0 : -ENOMEM;

	for (uint64_t i = 0; ret == 0 && piece_block(p, i, &block); i++)
		ret = dfs_exact_measure(record, &block, p->data + block.first * size, t->hand->scratch);
	if (ret == 0)
		ret = dfs_exact_prepare(record, &tables, err);
	if (ret == 0) {
		p->exact_stored = dfs_exact_table_bytes(tables, DFS_CODEC_DIFF).len + TENSOR_BYTES;
		ret = exact_chunks(t, p, tables);
	}
	dfs_exact_tables_free(tables);
	dfs_exact_record_free(record);
	p->exact_seconds = now() - start;
	return ret;
}

/* Pieces of tensors evenly spread over those that the codec takes. */
static int read_pieces(struct trial *t, struct dfs_err *err)
{
	uint32_t seen = 0, step = t->w->n_lossy / TENSORS + 1;
	int ret = 0;

	for (uint32_t i = 0; i < t->w->c.n_segments && ret == 0 && t->n < TENSORS; i++)
		if (t->w->segments[i].lossy && seen++ % step == 0)
			ret = piece_read(t, i, &t->pieces[t->n++], err);
	return ret;
}

static int code_pieces(struct trial *t, bool exact, struct dfs_err *err)
{
	const struct dfs_spec *spec = t->w->spec;
	struct dfs_lossy_tensor tensors[TENSORS];
	unsigned n = 0;
	int ret = 0;

	for (unsigned i = 0; i < t->n && ret == 0; i++) {
		ret = piece_measure(t, &t->pieces[i]);
		if (!t->pieces[i].declined)
			tensors[n++] = t->pieces[i].tensor;
	}
	if (ret == 0 && spec->lossy->plan)
		ret = spec->lossy->plan(spec->options, tensors, n, err);
	for (unsigned i = 0; i < t->n && ret == 0; i++)
		if (!t->pieces[i].declined)
			ret = piece_code(t, &t->pieces[i], err);
	for (unsigned i = 0; i < t->n && ret == 0; i++)
		if (exact || t->pieces[i].declined)
			ret = piece_exact(t, &t->pieces[i], err);
	if (ret == -ENOTSUP)	/* with a sentence */
		return ret;
	return ret < 0 ? dfs_fail(err, -ret, "codec %s: %s", spec->lossy->codec->name, strerror(-ret)) : 0;
}

static void add_up(const struct trial *t, struct dfs_trial *result)
{
	const struct dfs_work *w = t->w;
	uint64_t values = 0, stored = 0, exact_stored = 0;
	double seconds = 0, exact_seconds = 0, scale;

	for (unsigned i = 0; i < t->n; i++) {
		values += t->pieces[i].tensor.values;
		stored += t->pieces[i].declined ? t->pieces[i].exact_stored : t->pieces[i].stored;
		seconds += t->pieces[i].declined ? t->pieces[i].exact_seconds : t->pieces[i].seconds;
		exact_stored += t->pieces[i].exact_stored;
		exact_seconds += t->pieces[i].exact_seconds;
	}
	for (uint32_t i = 0; i < w->c.n_segments; i++)
		if (w->segments[i].lossy) {
			result->values += w->segments[i].lossy->tensor.values;
			result->bytes += w->c.segments[i].len;
		}
	result->rest = w->c.sb.original_size - result->bytes;
	if (!values)
		return;
	scale = (double)result->values / (double)values;
	result->stored = (uint64_t)((double)stored * scale);
	result->exact_stored = (uint64_t)((double)exact_stored * scale);
	result->seconds = seconds * scale;
	result->exact_seconds = exact_seconds * scale;
}

int dfs_trial(const struct dfs_work_input *input, struct dfs_hand *hand, bool exact, struct dfs_trial *ret_trial,
	      struct dfs_err *err)
{
	struct dfs_sample sample;
	struct dfs_work w;
	struct trial t = { .w = &w, .hand = hand };
	int ret = dfs_work_init(&w, input, err);

	if (ret < 0)
		return ret;
	*ret_trial = (struct dfs_trial){ 0 };
	ret = read_pieces(&t, err);
	if (ret == 0)
		ret = code_pieces(&t, exact, err);
	if (ret == 0)
		add_up(&t, ret_trial);
	for (unsigned i = 0; i < t.n; i++)
		piece_release(&t.pieces[i]);
	dfs_work_release(&w);
	if (ret == 0)
		ret = dfs_sample(input, DFS_SAMPLE_ESTIMATE, hand, &sample, err);
	if (ret == 0)
		ret_trial->rest_stored = dfs_sample_of(ret_trial->rest, &sample);
	return ret;
}
