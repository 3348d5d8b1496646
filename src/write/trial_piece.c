/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/trial_piece.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "format/container.h"

/* Values of a tensor that are tried: a fraction of a second a codec. */
#define VALUES (256u << 10)
#define ROWS 64		/* whole patches of any size */
/* Values in a chunk that is not cut by rows, about. */
#define CHUNK_VALUES 65536

void dfs_trial_piece_release(struct dfs_trial_piece *p)
{
	free(p->tensor.record);
	free(p->data);
	free(p->pred);
	free(p->delta);
	dfs_buf_release(&p->table);
	dfs_buf_release(&p->notes);
	*p = (struct dfs_trial_piece){ 0 };
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Chunk @i of a piece. Return: false: there is none. */
static bool piece_block(const struct dfs_trial_piece *p, uint64_t i, struct dfs_block *ret_block)
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

/* Return: whether all differences are finite. */
static bool piece_delta(struct dfs_trial_piece *p, const struct dfs_block *block)
{
	unsigned size = dfs_dtype_info(block->shape.dtype)->size;

	return dfs_delta(block->shape.dtype, p->data + block->first * size, block->pred, p->delta, block->n);
}

int dfs_trial_piece_read(const struct dfs_work *w, struct dfs_hand *hand, uint32_t segment, struct dfs_trial_piece *p,
			 struct dfs_err *err)
{
	const struct dfs_segment *seg = &w->c.segments[segment];
	struct dfs_span_place place = { .segment = segment, .off = seg->off };
	struct dfs_shape shape = w->segments[segment].shape;
	uint64_t whole = (VALUES / shape.cols / ROWS + 1) * ROWS;
	int ret;

	if (shape.rows > whole)
		shape.rows = whole;
	p->segment = segment;
	p->tensor = w->segments[segment].lossy->tensor;
	p->tensor.shape = shape;
	p->tensor.values = shape.rows * shape.cols;
	place.len = p->tensor.values * dfs_segment_unit(seg);
	ret = dfs_expect_both(w, &place, hand, &hand->span, err);
	if (ret < 0)
		return ret;
	p->data = malloc(place.len + DFS_VALUES_PAD);
	p->pred = malloc(place.len + DFS_VALUES_PAD);
	p->delta = malloc(p->tensor.values * sizeof(*p->delta));
	p->tensor.record = calloc(1, w->spec->lossy->record_size(w->spec->options, shape));
	if (!p->data || !p->pred || !p->delta || !p->tensor.record)
		return dfs_fail(err, ENOMEM, "out of memory");
	memcpy(p->data, hand->span.input, place.len);
	memcpy(p->pred, hand->span.values, place.len);
	return memcmp(p->data, p->pred, place.len) != 0;
}

int dfs_trial_piece_measure(const struct dfs_work *w, struct dfs_hand *hand, struct dfs_trial_piece *p)
{
	const struct dfs_spec *spec = w->spec;
	double start = now();
	struct dfs_block block;
	int ret = 0;

	for (unsigned pass = 0; pass < spec->lossy->passes(spec->options) && ret == 0 && p->scope == DFS_SCOPE_LOSSY; pass++) {
		for (uint64_t i = 0; ret == 0 && p->scope == DFS_SCOPE_LOSSY && piece_block(p, i, &block); i++) {
			p->scope = piece_delta(p, &block) ? DFS_SCOPE_LOSSY : DFS_SCOPE_NOT_FINITE;
			if (p->scope == DFS_SCOPE_LOSSY)
				ret = spec->lossy->measure(spec->options, pass, &block, p->delta, &p->tensor, hand->scratch);
		}
		if (ret == 0 && p->scope == DFS_SCOPE_LOSSY && spec->lossy->settle)
			ret = spec->lossy->settle(spec->options, pass, &p->tensor);
	}
	p->seconds += now() - start;
	return ret;
}

static int piece_encode(const struct dfs_work *w, struct dfs_hand *hand, struct dfs_trial_piece *p, const struct dfs_table *table)
{
	const struct dfs_lossy *lossy = w->spec->lossy;
	unsigned size = dfs_dtype_info(p->tensor.shape.dtype)->size;
	struct dfs_span notes = { p->notes.data, p->notes.len };
	DFS_AUTO(mem) uint8_t *payload = malloc(lossy->codec->bound(p->tensor.shape, p->tensor.values) + DFS_PAYLOAD_PAD);
	struct dfs_block block;
	size_t len;
	int ret = payload ? 0 : -ENOMEM;

	p->fixed = DFS_TENSOR_METADATA;
	*(lossy->table_grows && !lossy->table_grows(w->spec->options) ? &p->fixed : &p->stored) += p->table.len;
	for (uint64_t i = 0; ret == 0 && piece_block(p, i, &block); i++) {
		p->stored += DFS_CHUNK_METADATA;
		if (!memcmp(p->data + block.first * size, block.pred, block.n * size))
			continue;
		ret = dfs_lossy_encode(lossy, &block, p->data + block.first * size, p->delta, table, notes, payload, &len,
				       hand->scratch);
		p->stored += len < block.n * size ? len : block.n * size;
	}
	return ret;
}

int dfs_trial_piece_code(const struct dfs_work *w, struct dfs_hand *hand, struct dfs_trial_piece *p, struct dfs_err *err)
{
	const struct dfs_spec *spec = w->spec;
	struct dfs_table *table = NULL;
	double start = now();
	int ret = spec->lossy->prepare(spec->options, &p->tensor, &p->table, &p->notes, err);

	if (ret == -ERANGE) {
		p->scope = DFS_SCOPE_DECLINED;
		return 0;
	}
	if (ret == 0)
		ret = spec->lossy->codec->table_open(p->tensor.shape, (struct dfs_span){ p->table.data, p->table.len },
						     true, &table, err);
	if (ret == 0)
		ret = piece_encode(w, hand, p, table);
	dfs_table_close(table);
	p->seconds += now() - start;
	return ret;
}

static int exact_chunks(struct dfs_hand *hand, struct dfs_trial_piece *p, const struct dfs_exact_tables *tables)
{
	unsigned codec, size = dfs_dtype_info(p->tensor.shape.dtype)->size;
	DFS_AUTO(mem) uint8_t *payload = malloc(dfs_exact_bound(p->tensor.shape, p->tensor.values) + DFS_PAYLOAD_PAD);
	struct dfs_block block;
	size_t len;
	int ret = payload ? 0 : -ENOMEM;

	for (uint64_t i = 0; ret == 0 && piece_block(p, i, &block); i++)
		ret = dfs_exact_encode(&block, p->data + block.first * size, tables, payload, &len, &codec, hand->scratch);
	return ret;
}

int dfs_trial_piece_exact(struct dfs_hand *hand, struct dfs_trial_piece *p, struct dfs_err *err)
{
	unsigned size = dfs_dtype_info(p->tensor.shape.dtype)->size;
	struct dfs_exact_record *record = dfs_exact_record_new(p->tensor.shape, true);
	struct dfs_exact_tables *tables = NULL;
	double start = now();
	struct dfs_block block;
	int ret = record ? 0 : -ENOMEM;

	for (uint64_t i = 0; ret == 0 && piece_block(p, i, &block); i++)
		ret = dfs_exact_measure(record, &block, p->data + block.first * size, hand->scratch);
	if (ret == 0)
		ret = dfs_exact_prepare(record, &tables, err);
	if (ret == 0)
		ret = exact_chunks(hand, p, tables);
	dfs_exact_tables_free(tables);
	dfs_exact_record_free(record);
	p->exact_seconds = now() - start;
	return ret;
}
