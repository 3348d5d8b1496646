/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_rows: the plain C kernel, for all sizes of values, and the last values
 * of a chunk for all kernels.
 */
#include "codec/diff.h"

/* What the coder gave for a group. */
struct group {
	uint32_t entry[DFS_GROUP];
	union {			/* by the size of values */
		uint16_t u16[DFS_GROUP];	/* 1 and 2 */
		uint32_t u32[DFS_GROUP];
		uint64_t u64[DFS_GROUP];
	};
	uint8_t listed[DFS_GROUP];	/* those that have plain bits: few, as a rule */
	unsigned n_listed;
};

DFS_INLINE const uint32_t *map_of(const struct dfs_diff_table *t, unsigned class, unsigned size)
{
	return t->by_head + class * dfs_heads(size);
}

DFS_INLINE uint64_t folded(const struct group *g, unsigned i, unsigned size)
{
	return size == 8 ? g->u64[i] : size == 4 ? g->u32[i] : g->u16[i];
}

DFS_INLINE void set_folded(struct group *g, unsigned i, uint64_t u, unsigned size)
{
	if (size == 8)
		g->u64[i] = u;
	else if (size == 4)
		g->u32[i] = u;
	else
		g->u16[i] = u;
}

DFS_INLINE unsigned bits_of(uint32_t entry)
{
	return entry >> DFS_ENTRY_BITS_AT & 0x3f;
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

/* Symbols @i to @end of the group, all of one row; what has plain bits is added to the list. */
DFS_INLINE void read_run(struct dfs_diff_job *job, uint32_t *x, size_t i, size_t end,
			 unsigned class, struct group *g, unsigned size, unsigned log)
{
	const uint32_t *entries = job->table->entries;
	const uint32_t *map = map_of(job->table, class, size);
	const uint8_t *pred = job->pred + job->at * size;
	const uint8_t *next = job->rans.next;
	unsigned n_listed = g->n_listed;

	for (; i < end; i++) {
		uint64_t head = dfs_value_load(pred, i, size) >> dfs_head_shift(size);
		uint32_t e = entries[map[head] + (x[i] & ((1u << log) - 1))];
		uint32_t freq = (e >> DFS_ENTRY_FREQ_AT & 0x7ff) + 1;

		x[i] = dfs_rans_refill(freq * (x[i] >> log) + (e >> DFS_ENTRY_BIAS_AT), &next);
		g->entry[i] = e;
		g->listed[n_listed] = i;
		n_listed += bits_of(e) != 0;
	}
	g->n_listed = n_listed;
	job->rans.next = next;
}

DFS_INLINE void read_symbols(struct dfs_diff_job *job, uint32_t *x, size_t n, struct group *g,
			     unsigned size, unsigned log)
{
	const uint8_t *class = job->classes;
	size_t end = job->left, i = 0;

	g->n_listed = 0;
	if (end >= n) {
		/* a constant number, as a rule */
		read_run(job, x, 0, n, class ? *class : 0, g, size, log);
	} else {
		for (; i < n; i = end, end = job->cols < n - i ? i + job->cols : n)
			read_run(job, x, i, end, *class++, g, size, log);
	}
	for (i = 0; i < n; i++)
		set_folded(g, i, g->entry[i] & 15, size);
}

/* No more than 16 bits. */
DFS_INLINE void read_short(struct dfs_diff_job *job, uint32_t *x, struct group *g)
{
	const uint8_t *next = job->rans.next;

	for (unsigned j = 0; j < g->n_listed; j++) {
		unsigned i = g->listed[j];
		unsigned bits = bits_of(g->entry[i]);

		g->u16[i] = (g->entry[i] & 15) << bits | (x[i] & ((1u << bits) - 1));
		x[i] = dfs_rans_refill(x[i] >> bits, &next);
	}
	job->rans.next = next;
}

DFS_INLINE void read_plain(struct dfs_diff_job *job, uint32_t *x, struct group *g, unsigned size)
{
	const uint8_t *next = job->rans.next;

	for (unsigned j = 0; j < g->n_listed; j++) {
		unsigned i = g->listed[j];

		set_folded(g, i, folded(g, i, size) << bits_of(g->entry[i]), size);
	}
	for (unsigned low = size == 8 ? 48 : 16;; low -= 16) {
		for (unsigned j = 0; j < g->n_listed; j++) {
			unsigned i = g->listed[j];
			unsigned bits = bits_of(g->entry[i]);
			unsigned left = bits > low ? bits - low : 0;
			unsigned k = left < 16 ? left : 16;

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
		else if (size == 4)
			dfs_value_store(out, i, size, dfs_apply_32(&l, g->u32[i], q));
		else
			dfs_value_store(out, i, size, dfs_apply_16(&l, g->u16[i], q));
	}
	memcpy(job->out + job->at * size, out, n * size);
}

/* Up to DFS_GROUP values, the first of which is on the lane of @x. */
DFS_INLINE void read_group(struct dfs_diff_job *job, uint32_t *x, size_t n, unsigned size,
			   unsigned log, bool whole)
{
	struct group g;

	read_symbols(job, x, n, &g, size, log);
	if (size <= 2)
		read_short(job, x, &g);
	else
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
