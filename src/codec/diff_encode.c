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
	struct dfs_split split;
	dfs_split_fn *kernel;
	uint8_t *classes;	/* of each row touched; NULL: none */
	struct dfs_rans_writer rans;
	bool declined;
};

static void take_apart(struct encode *e, size_t at, size_t n)
{
	unsigned size = e->table->layout.size;

	e->kernel(&e->table->layout, (const uint8_t *)e->block->pred + at * size,
		  e->data + at * size, n, &e->split);
}

static void find_classes(struct encode *e)
{
	struct dfs_row_walk row;
	uint8_t *class = e->classes;

	for (dfs_row_first(&row, e->block); row.len; dfs_row_next(&row)) {
		take_apart(e, row.at, row.len);
		*class++ = e->table->scale_class[dfs_row_scale(&e->table->layout, &e->split,
							      row.len)];
	}
}

/* bin becomes the number of the table, for values [@at, @at + @n) of the block. */
static void choose_tables(struct encode *e, size_t at, size_t n)
{
	uint64_t cols = e->block->shape.cols;
	uint64_t column = e->classes ? (e->block->first + at) % cols : 0;
	size_t row = e->classes ? (e->block->first + at) / cols - e->block->first / cols : 0;

	for (size_t i = 0; i < n;) {
		unsigned class = e->classes ? e->classes[row++] : 0;
		size_t end = e->classes && cols - column < n - i ? i + (cols - column) : n;

		for (; i < end; i++)
			e->split.bin[i] =
				e->table->map[class][e->table->bin_context[e->split.bin[i]]];
		column = 0;
	}
}

/* The plain bits of a group, 16 at a time: the low ones are read last, so they come first here. */
DFS_INLINE void put_plain(struct encode *e, uint32_t *x, size_t at, size_t n, bool wide)
{
	const uint8_t *token = e->split.token + at;
	uint8_t *next = e->rans.next;

	for (unsigned low = 0; low + 2 < e->table->layout.width; low += 16) {
		for (size_t i = n; i--;) {
			unsigned bits = dfs_token_bits(token[i]);
			unsigned left = bits > low ? bits - low : 0;
			unsigned k = left < 16 ? left : 16;
			uint64_t u = wide ? e->split.u64[at + i] : e->split.u32[at + i];

			if (k)
				x[i] = dfs_rans_put_bits(x[i], u >> low & ((1u << k) - 1), k,
							 &next);
		}
	}
	e->rans.next = next;
}

DFS_INLINE void put_symbols(struct encode *e, uint32_t *x, size_t at, size_t n)
{
	const struct dfs_rans_symbol *symbols = e->table->symbols;
	unsigned stride = dfs_tokens(&e->table->layout);
	unsigned log = e->table->log;
	uint8_t *next = e->rans.next;
	bool declined = false;

	for (size_t i = n; i--;) {
		unsigned which = e->split.bin[at + i] * stride + e->split.token[at + i];

		declined |= !symbols[which].freq;
		x[i] = dfs_rans_put(x[i], &symbols[which], log, &next);
	}
	e->declined |= declined;
	e->rans.next = next;
}

/* The groups of values [0, n) of the split, backwards; the first is on lane 0. */
DFS_INLINE void put_groups(struct encode *e, size_t n, bool wide)
{
	unsigned group = e->rans.lanes < DFS_GROUP ? e->rans.lanes : DFS_GROUP;

	for (size_t end = n; end;) {
		size_t at = (end - 1) / group * group;
		uint32_t *x = &e->rans.x[at % e->rans.lanes];

		put_plain(e, x, at, end - at, wide);
		put_symbols(e, x, at, end - at);
		end = at;
	}
}

static void put_values(struct encode *e)
{
	for (size_t end = e->block->n; end && !e->declined;) {
		size_t at = (end - 1) / STEP * STEP;

		take_apart(e, at, end - at);
		choose_tables(e, at, end - at);
		if (e->table->layout.size == 8)
			put_groups(e, end - at, true);
		else
			put_groups(e, end - at, false);
		end = at;
	}
}

static void put_classes(struct encode *e)
{
	const struct dfs_rans_symbol *symbols =
		e->table->symbols + e->table->class_table * dfs_tokens(&e->table->layout);

	for (size_t r = dfs_rows_touched(e->block); r--;) {
		const struct dfs_rans_symbol *s = &symbols[e->classes[r]];
		uint32_t *x = &e->rans.x[r % e->rans.lanes];

		e->declined |= !s->freq;
		*x = dfs_rans_put(*x, s, e->table->log, &e->rans.next);
	}
}

/* Words at most: one for each symbol, one for each 16 plain bits, one to spare. */
static size_t words_max(const struct dfs_layout *l, size_t n, size_t rows)
{
	return n * (1 + (l->width + 13) / 16) + rows + 1;
}

int dfs_diff_encode(const struct dfs_block *block, const void *data,
		    const struct dfs_table *table, uint8_t *payload, size_t *ret_len,
		    struct dfs_scratch *scratch)
{
	struct encode e = {
		.table = (const struct dfs_diff_table *)table,
		.block = block,
		.data = data,
		.kernel = dfs_diff_split_kernel(dfs_scratch_cpu(scratch)),
	};
	bool classed = e.table->n_classes > 1;
	size_t rows = classed ? dfs_rows_touched(block) : 0;
	size_t step = block->n < STEP ? block->n : STEP;
	size_t room = 2 * words_max(&e.table->layout, block->n, rows);
	uint8_t *words = dfs_scratch_get(scratch, DFS_SLOT_WORDS, room);

	if (!block->pred || !e.table->symbols)
		return -ERANGE;
	if (classed && step < block->shape.cols)
		step = block->shape.cols;
	if (!words || !dfs_split_alloc(&e.split, &e.table->layout, step, scratch))
		return -ENOMEM;
	if (classed) {
		e.classes = dfs_scratch_get(scratch, DFS_SLOT_CLASSES, rows);
		if (!e.classes)
			return -ENOMEM;
		find_classes(&e);
	}
	dfs_rans_begin(&e.rans, block->n, words, room);
	put_values(&e);
	if (classed)
		put_classes(&e);
	if (e.declined)
		return -ERANGE;
	*ret_len = dfs_rans_finish(&e.rans, payload);
	return 0;
}
