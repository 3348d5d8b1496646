/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_decode: one chunk, from its first value to its last.
 *
 * A kernel takes all whole rows of lanes; plain C takes what is left.
 */
#include <errno.h>

#include "codec/diff.h"

#if defined(__x86_64__)
#define ROWS(size) { dfs_diff_rows_##size, dfs_diff_rows_avx2_##size, dfs_diff_rows_avx512_##size }
#else
#define ROWS(size) { dfs_diff_rows_##size, dfs_diff_rows_##size, dfs_diff_rows_##size }
#endif

/* By the size of a value; few lanes are for plain C alone. */
static const struct {
	dfs_diff_rows_fn *rows[DFS_CPU_LEVELS];
	dfs_diff_rows_fn *last;
} kernels[] = {
	[1] = { ROWS(1), dfs_diff_last_1 },
	[2] = { ROWS(2), dfs_diff_last_2 },
	[4] = { ROWS(4), dfs_diff_last_4 },
	[8] = { { dfs_diff_rows_8, dfs_diff_rows_8, dfs_diff_rows_8 }, dfs_diff_last_8 },
};

static int malformed(struct dfs_err *err)
{
	return dfs_fail(err, EUCLEAN, "diff: payload is malformed");
}

/* The classes of the rows come first, one after the other over the lanes. */
static int read_classes(struct dfs_diff_job *job, size_t n, uint8_t *classes, struct dfs_err *err)
{
	const struct dfs_diff_table *t = job->table;
	const uint32_t *entries = t->entries + (t->class_table << t->log);
	struct dfs_rans_reader *r = &job->rans;

	for (size_t i = 0; i < n; i++) {
		uint32_t *x = &r->x[i % r->lanes];
		uint32_t e = entries[*x & ((1u << t->log) - 1)];
		uint32_t freq = (e >> DFS_ENTRY_FREQ_AT & 0x7ff) + 1;

		if (r->next > r->end)
			return malformed(err);
		*x = dfs_rans_refill(freq * (*x >> t->log) + (e >> DFS_ENTRY_BIAS_AT), &r->next);
		classes[i] = e & 15;
	}
	job->classes = classes;
	return 0;
}

int dfs_diff_decode(const struct dfs_block *block, struct dfs_span payload,
		    const struct dfs_table *table, void *out, struct dfs_scratch *scratch,
		    struct dfs_err *err)
{
	const struct dfs_diff_table *t = (const struct dfs_diff_table *)table;
	struct dfs_diff_job job = {
		.table = t, .pred = block->pred, .out = out, .n = block->n, .left = UINT64_MAX,
	};
	enum dfs_cpu cpu;

	if (!block->pred)
		return dfs_fail(err, EUCLEAN, "diff: a segment without prediction");
	if (!dfs_rans_open(&job.rans, payload, block->n))
		return malformed(err);
	if (t->n_classes > 1) {
		size_t n = dfs_rows_touched(block);
		uint8_t *classes = dfs_scratch_get(scratch, DFS_SLOT_CLASSES, n + 1);
		int ret;

		if (!classes)
			return dfs_fail(err, ENOMEM, "diff: out of memory");
		ret = read_classes(&job, n, classes, err);
		if (ret < 0)
			return ret;
		job.cols = block->shape.cols;
		job.left = job.cols - block->first % job.cols;
	}
	cpu = job.rans.lanes == DFS_LANES ? dfs_scratch_cpu(scratch) : DFS_CPU_PORTABLE;
	kernels[t->layout.size].rows[cpu](&job);
	if (job.n - job.at >= job.rans.lanes || job.rans.next > job.rans.end)
		return malformed(err);
	kernels[t->layout.size].last(&job);
	return dfs_rans_done(&job.rans) ? 0 : malformed(err);
}
