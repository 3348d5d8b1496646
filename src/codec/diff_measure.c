/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_measure: how often each token comes, for each octave of the prediction
 * and, where rows may have classes, for each scale of a row.
 */
#include <errno.h>

#include "codec/diff.h"

#define STEP 4096 /* values taken apart at a time: stays in the first-level cache */

static struct dfs_layout layout_of(struct dfs_shape shape)
{
	struct dfs_layout l = { 0 };

	dfs_layout_init(&l, shape);
	return l;
}

static size_t plane_of(const struct dfs_layout *l)
{
	return (size_t)DFS_BINS * dfs_tokens(l);
}

size_t dfs_diff_record_size(struct dfs_shape shape)
{
	struct dfs_layout l = layout_of(shape);

	return sizeof(struct dfs_diff_record) +
	       4 * plane_of(&l) * (dfs_rows_usable(shape, &l) ? DFS_SCALES : 1);
}

static void start(struct dfs_diff_record *record, struct dfs_shape shape,
		  const struct dfs_layout *l)
{
	record->dtype = shape.dtype;
	record->drop = shape.drop;
	record->has_rows = dfs_rows_usable(shape, l);
	record->started = true;
}

/* A counter that is full stays so: like this, sums have no order either. */
static void count(uint32_t *counts, const struct dfs_layout *l, const struct dfs_split *split,
		  size_t n, bool may_fill)
{
	unsigned stride = dfs_tokens(l);

	for (size_t i = 0; i < n; i++) {
		uint32_t *c = &counts[split->bin[i] * stride + split->token[i]];

		*c += !may_fill || *c != UINT32_MAX;
	}
}

static uint64_t sum_tokens(const struct dfs_split *split, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += split->token[i];
	return sum;
}

struct measure {
	struct dfs_diff_record *record;
	struct dfs_layout layout;
	struct dfs_split split;
	dfs_split_fn *kernel;
	const uint8_t *pred, *data;
	bool may_fill;
	uint64_t tokens; /* their sum */
};

static void measure_run(struct measure *m, size_t n)
{
	for (size_t at = 0; at < n; at += STEP) {
		size_t len = n - at < STEP ? n - at : STEP;

		m->kernel(&m->layout, m->pred + at * m->layout.size,
			  m->data + at * m->layout.size, len, &m->split);
		count(m->record->counts, &m->layout, &m->split, len, m->may_fill);
		m->tokens += sum_tokens(&m->split, len);
	}
}

static void measure_rows(struct measure *m, const struct dfs_block *block)
{
	struct dfs_row_walk row;

	for (dfs_row_first(&row, block); row.len; dfs_row_next(&row)) {
		unsigned scale;

		m->kernel(&m->layout, m->pred + row.at * m->layout.size,
			  m->data + row.at * m->layout.size, row.len, &m->split);
		scale = dfs_row_scale(&m->layout, &m->split, row.len);
		m->record->rows[scale]++;
		count(m->record->counts + scale * plane_of(&m->layout), &m->layout, &m->split,
		      row.len, m->may_fill);
		m->tokens += sum_tokens(&m->split, row.len);
	}
}

int dfs_diff_measure(const struct dfs_block *block, const void *data,
		     struct dfs_diff_record *record, struct dfs_scratch *scratch,
		     unsigned *ret_mean_token)
{
	struct measure m = {
		.record = record,
		.layout = layout_of(block->shape),
		.kernel = dfs_diff_split_kernel(dfs_scratch_cpu(scratch)),
		.pred = block->pred,
		.data = data,
	};
	size_t room = block->n < STEP ? block->n : STEP;

	if (!record->started)
		start(record, block->shape, &m.layout);
	if (record->has_rows && room < block->shape.cols)
		room = block->shape.cols;
	if (!dfs_split_alloc(&m.split, &m.layout, room, scratch))
		return -ENOMEM;
	m.may_fill = record->values + block->n > UINT32_MAX;
	if (record->has_rows)
		measure_rows(&m, block);
	else
		measure_run(&m, block->n);
	record->values += block->n;
	if (ret_mean_token)
		*ret_mean_token = block->n ? 16 * m.tokens / block->n : 0;
	return 0;
}

void dfs_diff_merge(struct dfs_diff_record *into, const struct dfs_diff_record *from)
{
	struct dfs_layout l;
	size_t n;

	if (!from->started)
		return;
	l = layout_of((struct dfs_shape){ .dtype = from->dtype, .drop = from->drop });
	n = plane_of(&l) * (from->has_rows ? DFS_SCALES : 1);
	into->dtype = from->dtype;
	into->drop = from->drop;
	into->has_rows = from->has_rows;
	into->started = true;
	into->values += from->values;
	for (unsigned i = 0; i < DFS_SCALES; i++)
		into->rows[i] += from->rows[i];
	for (size_t i = 0; i < n; i++) {
		uint64_t sum = (uint64_t)into->counts[i] + from->counts[i];

		into->counts[i] = sum < UINT32_MAX ? sum : UINT32_MAX;
	}
}
