/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_come_write: what an encoder asks of delta-come.
 *
 * One pass collects the differences; from all of them at once the factors are
 * made (delta_come_fit.c). V and S are the table, U the notes, of which each
 * chunk takes its rows. A stack of experts is one tall matrix.
 */
#include <errno.h>
#include <stdlib.h>

#include "codec/delta_come.h"
#include "codec/internal.h"
#include "codec/lossy.h"

#define PANEL (256u << 10)	/* bytes that a chunk has at most, if it has more rows than ... */
#define ROWS_MIN 64		/* ... these: fewer would not be worth the making of V's values */

struct options {
	double ratio, group, rounds;
};

static const struct dfs_option option_rows[] = {
	{ .name = "ratio", .min = 2, .max = 64, .offset = offsetof(struct options, ratio) },
	{ .name = "group", .min = 8, .max = 4096, .whole = true, .offset = offsetof(struct options, group) },
	{ .name = "rounds", .max = 16, .whole = true, .offset = offsetof(struct options, rounds) },
	{ .name = NULL },
};

static void defaults(void *options)
{
	*(struct options *)options = (struct options){ .ratio = 16, .group = 128, .rounds = 2 };
}

static struct dfs_come_budget budget_of(const struct options *o)
{
	return (struct dfs_come_budget){ .bits = 16 / o->ratio, .group = (uint32_t)o->group };
}

static unsigned passes(const void *options)
{
	(void)options;
	return 1;
}

static uint32_t chunk_rows(const void *options, struct dfs_shape shape)
{
	uint64_t row = shape.cols * dfs_dtype_info(shape.dtype)->size, rows = PANEL / row;

	(void)options;
	rows = rows > ROWS_MIN ? rows : ROWS_MIN;
	rows = rows < DFS_CHUNK_MAX / row ? rows : DFS_CHUNK_MAX / row;
	rows = rows < shape.rows ? rows : shape.rows;
	return (uint32_t)rows;
}

static bool takes(const void *options, struct dfs_shape shape)
{
	struct dfs_come_layout layout;

	return chunk_rows(options, shape) > 0 &&
	       dfs_come_plan(budget_of(options), shape.rows, shape.cols,
			     shape.rows < shape.cols ? shape.rows : shape.cols, &layout) &&
	       layout.row_bytes <= shape.cols * dfs_dtype_info(shape.dtype)->size;
}

/* The record is the matrix of differences. */
static size_t record_size(const void *options, struct dfs_shape shape)
{
	(void)options;
	return (size_t)(shape.rows * shape.cols) * sizeof(float);
}

/* That, the Gram matrix and its eigenvectors, twice, and both factors. */
static size_t room(const void *options, struct dfs_shape shape)
{
	uint64_t side = shape.rows < shape.cols ? shape.rows : shape.cols;
	struct dfs_come_layout layout;
	size_t floats = 0;

	if (dfs_come_plan(budget_of(options), shape.rows, shape.cols, side, &layout))
		floats = (size_t)(side * side + 2 * side * layout.rank + (shape.rows + shape.cols) * layout.rank);
	return record_size(options, shape) + floats * sizeof(float);
}

static int measure(const void *options, unsigned pass, const struct dfs_block *block, float *delta,
		   const struct dfs_lossy_tensor *tensor, struct dfs_scratch *scratch)
{
	(void)options;
	(void)pass;
	(void)scratch;
	memcpy((float *)tensor->record + block->first, delta, block->n * sizeof(*delta));
	return 0;
}

static int write_table(const struct dfs_come_fit *fit, uint64_t cols, struct dfs_buf *table)
{
	const struct dfs_come_layout *l = &fit->layout;
	uint8_t *to = dfs_buf_extend(table, 8 + 4 * (size_t)l->rank);

	if (!to)
		return -ENOMEM;
	dfs_put_u16le(to, (uint16_t)l->group);
	for (unsigned c = 0; c < DFS_COME_CLASSES; c++)
		dfs_put_u16le(to + 2 + 2 * c, (uint16_t)l->cols[c]);
	for (uint32_t k = 0; k < l->rank; k++) {
		union { float value; uint32_t bits; } s = { .value = fit->s[k] };

		dfs_put_u32le(to + 8 + 4 * (size_t)k, s.bits);
	}
	return dfs_buf_append(table, fit->v, l->rank ? (size_t)cols * l->row_bytes : 0);
}

static int prepare(const void *options, const struct dfs_lossy_tensor *tensor, struct dfs_buf *table,
		   struct dfs_buf *notes, struct dfs_err *err)
{
	const struct options *o = options;
	uint64_t rows = tensor->shape.rows, cols = tensor->shape.cols;
	struct dfs_come_fit fit;
	int ret = dfs_come_fit(tensor->record, rows, cols, budget_of(o), (unsigned)o->rounds, &fit, err);

	if (ret == 0 && (write_table(&fit, cols, table) < 0 ||
			 dfs_buf_append(notes, fit.u, (size_t)rows * fit.layout.row_bytes) < 0))
		ret = dfs_fail(err, ENOMEM, "out of memory");
	dfs_come_fit_release(&fit);
	return ret;
}

const struct dfs_lossy dfs_lossy_delta_come = {
	.codec = &dfs_codec_delta_come,
	.options = option_rows,
	.defaults = defaults,
	.passes = passes,
	.chunk_rows = chunk_rows,
	.takes = takes,
	.record_size = record_size,
	.room = room,
	.measure = measure,
	.prepare = prepare,
	.encode = dfs_come_encode,
};
