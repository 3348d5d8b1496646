/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_rows: the plain C kernel, for all sizes of values, and the last values
 * of a chunk for all kernels.
 */
#include "codec/diff.h"

/* What the coder gave for a group. */
struct group {
	union {
		uint32_t u32[DFS_GROUP];
		uint64_t u64[DFS_GROUP];	/* for values of 8 bytes */
	};
	uint32_t entry[DFS_GROUP];
	uint8_t listed[DFS_GROUP];	/* those that have plain bits: few, as a rule */
	unsigned n_listed;
};

DFS_INLINE const uint32_t *map_of(const struct dfs_diff_table *t, unsigned class, unsigned size)
{
	return t->by_head + class * dfs_heads(size);
}

DFS_INLINE uint64_t folded(const struct group *g, unsigned i, unsigned size)
{
	return size == 8 ? g->u64[i] : g->u32[i];
}

DFS_INLINE void set_folded(struct group *g, unsigned i, uint64_t u, unsigned size)
{
	if (size == 8)
		g->u64[i] = u;
	else
		g->u32[i] = u;
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

DFS_INLINE void read_symbols(struct dfs_diff_job *job, uint32_t *x, size_t n, struct group *g,
			     unsigned size, unsigned log)
{
	const struct dfs_diff_table *t = job->table;
	const uint32_t *entries = t->entries;
	const uint8_t *pred = job->pred + job->at * size;
	const uint8_t *next = job->rans.next;
	const uint8_t *class = job->classes;
	const uint32_t *map = map_of(t, class ? *class : 0, size);
	size_t row_end = job->left < n ? job->left : n;
	unsigned n_listed = 0;

	for (size_t i = 0;;) {
		for (; i < row_end; i++) {
			uint64_t head = dfs_value_load(pred, i, size) >> dfs_head_shift(size);
			uint32_t e = entries[map[head] + (x[i] & ((1u << log) - 1))];
			uint32_t freq = (e >> DFS_ENTRY_FREQ_AT & 0x7ff) + 1;

			x[i] = dfs_rans_refill(freq * (x[i] >> log) + (e >> DFS_ENTRY_BIAS_AT),
					       &next);
			g->entry[i] = e;
			set_folded(g, i, e & 15, size);
			g->listed[n_listed] = i;
			n_listed += (e >> DFS_ENTRY_BITS_AT & 0x3f) != 0;
		}
		if (i == n)
			break;
		map = map_of(t, *++class, size);
		row_end = job->cols < n - i ? i + job->cols : n;
	}
	g->n_listed = n_listed;
	job->rans.next = next;
}

DFS_INLINE void read_plain(struct dfs_diff_job *job, uint32_t *x, struct group *g, unsigned size)
{
	const uint8_t *next = job->rans.next;

	for (unsigned j = 0; j < g->n_listed; j++) {
		unsigned i = g->listed[j];
		unsigned bits = g->entry[i] >> DFS_ENTRY_BITS_AT & 0x3f;

		set_folded(g, i, folded(g, i, size) << bits, size);
	}
	for (unsigned low = size == 8 ? 48 : size == 4 ? 16 : 0;; low -= 16) {
		for (unsigned j = 0; j < g->n_listed; j++) {
			unsigned i = g->listed[j];
			unsigned bits = g->entry[i] >> DFS_ENTRY_BITS_AT & 0x3f;
			unsigned left = bits > low ? bits - low : 0;
			unsigned k = size <= 2 || left < 16 ? left : 16;

			set_folded(g, i, folded(g, i, size) |
				   (uint64_t)(x[i] & ((1u << k) - 1)) << low, size);
			x[i] = dfs_rans_refill(x[i] >> k, &next);
		}
		if (!low)
			break;
	}
	job->rans.next = next;
}

/* By way of arrays that nothing else can be part of: so the compiler may use vectors. */
DFS_INLINE void apply(const struct dfs_diff_job *job, size_t n, const struct group *g,
		      unsigned size, bool whole)
{
	const struct dfs_layout l = whole ? dfs_whole_layout(size) : job->table->layout;
	uint8_t pred[8 * DFS_GROUP], out[8 * DFS_GROUP];

	memcpy(pred, job->pred + job->at * size, n * size);
	for (size_t i = 0; i < n; i++) {
		uint64_t q = dfs_value_load(pred, i, size);

		if (size == 8)
			dfs_value_store(out, i, size, dfs_apply_64(&l, g->u64[i], q));
		else
			dfs_value_store(out, i, size, dfs_apply_32(&l, g->u32[i], q));
	}
	memcpy(job->out + job->at * size, out, n * size);
}

/* Up to DFS_GROUP values, the first of which is on the lane of @x. */
DFS_INLINE void read_group(struct dfs_diff_job *job, uint32_t *x, size_t n, unsigned size,
			   unsigned log, bool whole)
{
	struct group g;

	read_symbols(job, x, n, &g, size, log);
	read_plain(job, x, &g, size);
	apply(job, n, &g, size, whole);
	advance(job, n);
}

DFS_INLINE void rows(struct dfs_diff_job *job, unsigned size, unsigned log, bool whole)
{
	unsigned lanes = job->rans.lanes;

	while (job->n - job->at >= lanes && job->rans.next <= job->rans.end) {
		if (lanes == DFS_LANES_SMALL) {
			read_group(job, job->rans.x, DFS_LANES_SMALL, size, log, whole);
			continue;
		}
		for (unsigned lane = 0; lane < DFS_LANES; lane += DFS_GROUP)
			read_group(job, job->rans.x + lane, DFS_GROUP, size, log, whole);
	}
}

DFS_INLINE void last(struct dfs_diff_job *job, unsigned size)
{
	unsigned step = job->rans.lanes < DFS_GROUP ? job->rans.lanes : DFS_GROUP;

	for (unsigned lane = 0; job->at < job->n; lane += step) {
		size_t left = job->n - job->at;

		read_group(job, &job->rans.x[lane], left < step ? left : step, size,
			   job->table->log, false);
	}
}

static bool is_common(const struct dfs_diff_table *t)
{
	return t->log == DFS_DIFF_LOG_MAX && dfs_layout_is_whole(&t->layout);
}

/* What is common is worth a copy of its own, with all shifts and masks known. */
#define KERNELS(size)								\
	void dfs_diff_rows_##size(struct dfs_diff_job *job)			\
	{									\
		if (is_common(job->table))					\
			rows(job, size, DFS_DIFF_LOG_MAX, true);		\
		else								\
			rows(job, size, job->table->log, false);		\
	}									\
	void dfs_diff_last_##size(struct dfs_diff_job *job)			\
	{									\
		last(job, size);						\
	}									\
	struct kernels_needs_a_semicolon

KERNELS(1);
KERNELS(2);
KERNELS(4);
KERNELS(8);
