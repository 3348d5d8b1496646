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

size_t dfs_diff_record_size(struct dfs_shape shape)
{
	struct dfs_layout l = layout_of(shape);

	return sizeof(struct dfs_diff_record) +
	       4 * dfs_cells(&l) * (dfs_rows_usable(shape, &l) ? DFS_SCALES : 1);
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
static void count(uint32_t *counts, const uint16_t *cell, size_t n, bool may_fill)
{
	for (size_t i = 0; i < n; i++)
		counts[cell[i]] += !may_fill || counts[cell[i]] != UINT32_MAX;
}

/* Four sets of counters, so that one that is counted up again does not wait for the time before. */
static void count_apart(uint32_t *apart[4], const uint16_t *cell, size_t n)
{
	size_t i = 0;

	for (; i + 4 <= n; i += 4) {
		apart[0][cell[i]]++;
		apart[1][cell[i + 1]]++;
		apart[2][cell[i + 2]]++;
		apart[3][cell[i + 3]]++;
	}
	for (; i < n; i++)
		apart[0][cell[i]]++;
}

struct measure {
	struct dfs_diff_record *record;
	struct dfs_layout layout;
	struct dfs_split split;
	dfs_split_fn *kernel;
	const uint8_t *pred, *data;
	bool may_fill;
	uint32_t *apart[4];	/* of this block, without rows */
};

static bool alloc_apart(struct measure *m, struct dfs_scratch *scratch)
{
	size_t n = dfs_cells(&m->layout);
	uint32_t *counts = dfs_scratch_get(scratch, DFS_SLOT_COUNTS, 4 * n * sizeof(*counts));

	if (!counts)
		return false;
	memset(counts, 0, 4 * n * sizeof(*counts));
	for (unsigned i = 0; i < 4; i++)
		m->apart[i] = counts + i * n;
	return true;
}

static void add_apart(struct measure *m)
{
	for (size_t c = 0; c < dfs_cells(&m->layout); c++) {
		uint64_t sum = (uint64_t)m->record->counts[c] + m->apart[0][c] + m->apart[1][c] +
			       m->apart[2][c] + m->apart[3][c];

		m->record->counts[c] = sum < UINT32_MAX ? sum : UINT32_MAX;
	}
}

static void measure_run(struct measure *m, size_t n)
{
	for (size_t at = 0; at < n; at += STEP) {
		size_t len = n - at < STEP ? n - at : STEP;

		m->kernel(&m->layout, m->pred + at * m->layout.size,
			  m->data + at * m->layout.size, len, &m->split);
		count_apart(m->apart, m->split.cell, len);
	}
	add_apart(m);
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
		count(m->record->counts + scale * dfs_cells(&m->layout), m->split.cell, row.len,
		      m->may_fill);
	}
}

int dfs_diff_measure(const struct dfs_block *block, const void *data,
		     struct dfs_diff_record *record, struct dfs_scratch *scratch)
{
	struct measure m = {
		.record = record,
		.layout = layout_of(block->shape),
		.pred = block->pred,
		.data = data,
	};
	size_t room = block->n < STEP ? block->n : STEP;

	if (!record->started)
		start(record, block->shape, &m.layout);
	if (record->has_rows && room < block->shape.cols)
		room = block->shape.cols;
	m.kernel = dfs_diff_split_kernel(dfs_scratch_cpu(scratch), &m.layout);
	if (!dfs_split_alloc(&m.split, &m.layout, room, scratch) || !alloc_apart(&m, scratch))
		return -ENOMEM;
	m.may_fill = record->values + block->n > UINT32_MAX;
	if (record->has_rows)
		measure_rows(&m, block);
	else
		measure_run(&m, block->n);
	record->values += block->n;
	return 0;
}

void dfs_diff_merge(struct dfs_diff_record *into, const struct dfs_diff_record *from)
{
	struct dfs_layout l;
	size_t n;

	if (!from->started)
		return;
	l = layout_of((struct dfs_shape){ .dtype = from->dtype, .drop = from->drop });
	n = dfs_cells(&l) * (from->has_rows ? DFS_SCALES : 1);
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
