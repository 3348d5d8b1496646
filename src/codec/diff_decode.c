/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_decode: one chunk, from its first value to its last.
 *
 * A kernel takes all whole rows of lanes; what is left at the end is taken
 * here, group by group. The plain C kernel is both.
 */
#include <errno.h>

#include "codec/diff.h"

/* Where the tables of the next values begin, one for each value of a group. */
DFS_INLINE void group_offsets(const struct dfs_diff_job *job, size_t n, const uint32_t *maps[])
{
	const uint8_t *class = job->classes;
	uint64_t left = job->left;

	for (size_t i = 0; i < n; i++) {
		if (!left) {
			class++;
			left = job->cols;
		}
		maps[i] = job->table->offset[class ? *class : 0];
		left--;
	}
}

DFS_INLINE void advance(struct dfs_diff_job *job, size_t n)
{
	job->at += n;
	if (!job->classes)
		return;
	while (n >= job->left) {
		n -= job->left;
		job->left = job->cols;
		job->classes++;
	}
	job->left -= n;
}

DFS_INLINE unsigned context_of(const struct dfs_layout *l, unsigned top, uint64_t q)
{
	int below = (int)top - (int)(q >> l->drop >> l->shift & ((1ull << l->exponent) - 1));

	return below < 0 ? 0 : below < DFS_CONTEXTS ? below : DFS_CONTEXTS - 1;
}

/* Up to DFS_GROUP values whose first is on the lane of @x. */
DFS_INLINE void group(struct dfs_diff_job *job, uint32_t *x, size_t n, unsigned size)
{
	const struct dfs_diff_table *t = job->table;
	const struct dfs_layout l = t->layout;
	const uint32_t slots = (1u << t->log) - 1;
	const uint8_t *pred = job->pred + job->at * size;
	uint8_t *out = job->out + job->at * size;
	const uint8_t *next = job->rans.next;
	const uint32_t *maps[DFS_GROUP];
	uint32_t entries[DFS_GROUP];
	uint64_t plain[DFS_GROUP];
	bool mixed = n > job->left;

	if (mixed)
		group_offsets(job, n, maps);
	for (size_t i = 0; i < n; i++) {
		const uint32_t *map = mixed ? maps[i] : t->offset[job->classes ? *job->classes : 0];
		uint64_t q = dfs_value_load(pred, i, size);
		uint32_t e = t->entries[map[context_of(&l, t->top, q)] + (x[i] & slots)];
		uint32_t freq = (e >> DFS_ENTRY_FREQ_AT & 0x7ff) + 1;

		x[i] = dfs_rans_refill(freq * (x[i] >> t->log) + (e >> DFS_ENTRY_BIAS_AT), &next);
		entries[i] = e;
		plain[i] = 0;
	}
	for (unsigned low = size == 8 ? 48 : size == 4 ? 16 : 0;; low -= 16) {
		for (size_t i = 0; i < n; i++) {
			unsigned bits = entries[i] >> DFS_ENTRY_BITS_AT & 0x3f;
			unsigned left = bits > low ? bits - low : 0;
			unsigned k = left < 16 ? left : 16;

			plain[i] |= (uint64_t)(x[i] & ((1u << k) - 1)) << low;
			x[i] = dfs_rans_refill(x[i] >> k, &next);
		}
		if (!low)
			break;
	}
	for (size_t i = 0; i < n; i++) {
		unsigned bits = entries[i] >> DFS_ENTRY_BITS_AT & 0x3f;
		uint64_t u = (uint64_t)(entries[i] & 15) << bits | plain[i];
		uint64_t q = dfs_value_load(pred, i, size);

		dfs_value_store(out, i, size, dfs_value_apply(&l, u, q));
	}
	job->rans.next = next;
	advance(job, n);
}

DFS_INLINE void rows(struct dfs_diff_job *job, unsigned size)
{
	unsigned lanes = job->rans.lanes;
	unsigned step = lanes < DFS_GROUP ? lanes : DFS_GROUP;

	while (job->n - job->at >= lanes && job->rans.next <= job->rans.end)
		for (unsigned lane = 0; lane < lanes; lane += step)
			group(job, &job->rans.x[lane], step, size);
}

DFS_INLINE void last_row(struct dfs_diff_job *job, unsigned size)
{
	unsigned step = job->rans.lanes < DFS_GROUP ? job->rans.lanes : DFS_GROUP;

	for (unsigned lane = 0; job->at < job->n; lane += step) {
		size_t left = job->n - job->at;

		group(job, &job->rans.x[lane], left < step ? left : step, size);
	}
}

static void rows_1(struct dfs_diff_job *job) { rows(job, 1); }
static void rows_2(struct dfs_diff_job *job) { rows(job, 2); }
static void rows_4(struct dfs_diff_job *job) { rows(job, 4); }
static void rows_8(struct dfs_diff_job *job) { rows(job, 8); }
static void last_1(struct dfs_diff_job *job) { last_row(job, 1); }
static void last_2(struct dfs_diff_job *job) { last_row(job, 2); }
static void last_4(struct dfs_diff_job *job) { last_row(job, 4); }
static void last_8(struct dfs_diff_job *job) { last_row(job, 8); }

#if defined(__x86_64__)
#define KERNELS(size) { rows_##size, rows_##size, dfs_diff_rows_avx512_##size }
#else
#define KERNELS(size) { rows_##size, rows_##size, rows_##size }
#endif

/* By the size of a value; few lanes are for plain C alone. */
static const struct {
	dfs_diff_rows_fn *rows[DFS_CPU_LEVELS];
	dfs_diff_rows_fn *last;
} kernels[] = {
	[1] = { KERNELS(1), last_1 },
	[2] = { KERNELS(2), last_2 },
	[4] = { KERNELS(4), last_4 },
	[8] = { { rows_8, rows_8, rows_8 }, last_8 },
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
