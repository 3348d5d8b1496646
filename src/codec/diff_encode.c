/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_encode: one chunk, from its last value to its first.
 */
#include <errno.h>

#include "codec/diff.h"

#define STEP 4096 /* values taken apart at a time; a multiple of DFS_LANES */

struct encode {
	const struct dfs_diff_table *table;
	const struct dfs_block *block;
	const uint8_t *data;
	dfs_split_fn *kernel;
	dfs_put_fn *put;
	uint8_t *classes;	/* of each row touched; NULL: none */
	struct dfs_put_job job;
};

static void take_apart(struct encode *e, size_t at, size_t n)
{
	unsigned size = e->table->layout.size;

	e->kernel(&e->table->layout, (const uint8_t *)e->block->pred + at * size,
		  e->data + at * size, n, &e->job.split);
}

static void find_classes(struct encode *e)
{
	struct dfs_row_walk row;
	uint8_t *class = e->classes;

	for (dfs_row_first(&row, e->block); row.len; dfs_row_next(&row)) {
		take_apart(e, row.at, row.len);
		*class++ = e->table->scale_class[dfs_row_scale(&e->table->layout, &e->job.split,
							      row.len)];
	}
}

/* The symbols of a row's class lie together: cell becomes the number of the symbol. */
static void add_classes(struct encode *e, size_t at, size_t n)
{
	uint64_t cols = e->block->shape.cols;
	uint64_t column = (e->block->first + at) % cols;
	size_t row = (e->block->first + at) / cols - e->block->first / cols;

	for (size_t i = 0; i < n;) {
		unsigned add = e->classes[row++] * dfs_cells(&e->table->layout);
		size_t end = cols - column < n - i ? i + (cols - column) : n;

		for (; i < end; i++)
			e->job.split.cell[i] += add;
		column = 0;
	}
}

static void put_values(struct encode *e)
{
	for (size_t end = e->block->n; end && !e->job.declined;) {
		size_t at = (end - 1) / STEP * STEP;

		take_apart(e, at, end - at);
		if (e->classes)
			add_classes(e, at, end - at);
		e->put(&e->job, end - at);
		end = at;
	}
}

static void put_classes(struct encode *e)
{
	struct dfs_rans_writer *rans = &e->job.rans;

	for (size_t r = dfs_rows_touched(e->block); r--;) {
		const struct dfs_rans_symbol *s = &e->table->class_symbols[e->classes[r]];
		uint32_t *x = &rans->x[r % rans->lanes];

		e->job.declined |= !dfs_rans_known(s->rest, e->table->log);
		*x = dfs_rans_put(*x, s, e->table->log, &rans->next);
	}
}

/* Vector units have DFS_LANES. */
static dfs_put_fn *put_kernel(enum dfs_cpu cpu, const struct dfs_layout *l, size_t n)
{
	if (l->size == 8)
		return dfs_diff_put_64;
#if defined(__x86_64__)
	if (cpu == DFS_CPU_AVX512 && dfs_lanes(n) == DFS_LANES)
		return dfs_diff_put_avx512_32;
	if (cpu == DFS_CPU_AVX2 && l->width <= 17 && dfs_lanes(n) == DFS_LANES)
		return dfs_diff_put_avx2_32;
#endif
	(void)cpu;
	(void)n;
	return dfs_diff_put_32;
}

/* Words at most: one for each symbol, one for each 16 plain bits; and what a vector of eight writes below the last. */
static size_t words_max(const struct dfs_layout *l, size_t n, size_t rows)
{
	return n * (1 + (l->width + 13) / 16) + rows + 8;
}

static int alloc_classes(struct encode *e, size_t rows, struct dfs_scratch *scratch)
{
	e->classes = dfs_scratch_get(scratch, DFS_SLOT_CLASSES, rows);
	return e->classes ? 0 : -ENOMEM;
}

int dfs_diff_encode(const struct dfs_block *block, const void *data,
		    const struct dfs_table *table, uint8_t *payload, size_t *ret_len,
		    struct dfs_scratch *scratch)
{
	const struct dfs_diff_table *t = (const struct dfs_diff_table *)table;
	enum dfs_cpu cpu = dfs_scratch_cpu(scratch);
	struct encode e = {
		.table = t, .block = block, .data = data,
		.kernel = dfs_diff_split_kernel(cpu, &t->layout),
		.put = put_kernel(cpu, &t->layout, block->n),
		.job = { .symbols = t->symbols, .log = t->log, .width = t->layout.width },
	};
	size_t rows = t->n_classes > 1 ? dfs_rows_touched(block) : 0;
	size_t step = rows && block->shape.cols > STEP ? block->shape.cols : STEP;
	size_t room = 2 * words_max(&t->layout, block->n, rows);
	uint8_t *words = dfs_scratch_get(scratch, DFS_SLOT_WORDS, room);

	if (!block->pred || !t->symbols)
		return -ERANGE;
	if (!words || !dfs_split_alloc(&e.job.split, &t->layout, step, scratch))
		return -ENOMEM;
	if (rows && alloc_classes(&e, rows, scratch) < 0)
		return -ENOMEM;
	if (rows)
		find_classes(&e);
	dfs_rans_begin(&e.job.rans, block->n, words, room);
	put_values(&e);
	if (rows && !e.job.declined)
		put_classes(&e);
	if (e.job.declined)
		return -ERANGE;
	*ret_len = dfs_rans_finish(&e.job.rans, payload);
	return 0;
}
