/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff: how far each value lies from its prediction, entropy coded.
 *
 * Differences are taken in the order of the numbers (codec/value.h) and cut
 * into tokens and plain bits (codec/diff.h). A token's probabilities depend on
 * the octave of the prediction, which the reader has: how many steps a value
 * strays is a question of how large a step is. Where rows move by very
 * different amounts (embeddings: only words that occurred), they depend on a
 * class of the row as well.
 *
 * Payload, deltafs-format(5) "diff payload":
 *	0	u32le[]	the states of the lanes (codec/rans.h)
 *	...	u16le[]	the words
 * Through them go, if the table has classes, the class of each row that the
 * chunk touches, number r on lane r % lanes; then the values.
 *
 * The shared table: diff_table.c. Where it comes from: diff_measure.c,
 * diff_model.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "codec/diff.h"
#include "util/auto.h"

static bool diff_accepts(struct dfs_shape shape)
{
	struct dfs_layout l;

	return dfs_layout_init(&l, shape);
}

static int diff_measure(const struct dfs_block *block, const void *data, void *record,
			struct dfs_scratch *scratch)
{
	return dfs_diff_measure(block, data, record, scratch);
}

static void diff_merge(void *into, const void *from)
{
	dfs_diff_merge(into, from);
}

static int diff_prepare(struct dfs_shape shape, const void *record, struct dfs_span params,
			struct dfs_buf *table, struct dfs_err *err)
{
	const struct dfs_diff_record *r = record;
	DFS_AUTO(mem) struct dfs_diff_model *m = NULL;

	(void)params;
	if (!r->values)
		return 0;
	m = malloc(sizeof(*m));
	if (!m || dfs_diff_model_build(m, shape, r) < 0 || dfs_diff_model_pack(m, table) < 0)
		return dfs_fail(err, ENOMEM, "diff table: out of memory");
	return 0;
}

/* States, and all words that encode could write. */
static size_t diff_bound(struct dfs_shape shape, size_t n)
{
	struct dfs_layout l;
	size_t rows = shape.cols >= DFS_CLASS_COLS_MIN ? n / shape.cols + 2 : 0;

	if (!dfs_layout_init(&l, shape))
		return 0;
	return 4 * DFS_LANES + 2 * (n * (1 + (l.width + 13) / 16) + rows);
}

const struct dfs_codec dfs_codec_diff = {
	.name = "diff",
	.exact = true,
	.needs_prediction = true,
	.record_size = DFS_DIFF_RECORD_MAX,
	.accepts = diff_accepts,
	.measure = diff_measure,
	.merge = diff_merge,
	.prepare = diff_prepare,
	.table_open = dfs_diff_table_open,
	.bound = diff_bound,
	.encode = dfs_diff_encode,
	.decode = dfs_diff_decode,
};
