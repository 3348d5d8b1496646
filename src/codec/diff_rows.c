/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_rows: the plain C kernel, for all sizes of values, and the last values
 * of a chunk for all kernels.
 */
#include "codec/diff.h"

/* What the coder gave for a group. */
struct group {
	uint64_t u[DFS_GROUP];
	uint32_t entry[DFS_GROUP];
	uint8_t listed[DFS_GROUP];	/* those that have plain bits: few, as a rule */
	unsigned n_listed;
};

DFS_INLINE const uint32_t *map_of(const struct dfs_diff_table *t, unsigned class)
{
	return t->by_exponent + ((size_t)class << t->layout.exponent);
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
			     unsigned size)
{
	const struct dfs_diff_table *t = job->table;
	const struct dfs_layout l = t->layout;
	const uint64_t exponents = (1ull << l.exponent) - 1;
	const uint32_t slots = (1u << t->log) - 1;
	const unsigned log = t->log, shift = l.drop + l.shift;
	const uint32_t *entries = t->entries;
	const uint8_t *pred = job->pred + job->at * size;
	const uint8_t *next = job->rans.next;
	const uint8_t *class = job->classes;
	const uint32_t *map = map_of(t, class ? *class : 0);
	uint64_t row_end = job->left;
	unsigned n_listed = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t e, freq;

		if (i == row_end) {
			map = map_of(t, *++class);
			row_end += job->cols;
		}
		e = entries[map[dfs_value_load(pred, i, size) >> shift & exponents] + (x[i] & slots)];
		freq = e >> DFS_ENTRY_FREQ_AT & 0x7ff;
		freq = freq * (x[i] >> log) + (x[i] >> log);
		x[i] = dfs_rans_refill(freq + (e >> DFS_ENTRY_BIAS_AT), &next);
		g->entry[i] = e;
		g->u[i] = e & 15;
		g->listed[n_listed] = i;
		n_listed += (e >> DFS_ENTRY_BITS_AT & 0x3f) != 0;
	}
	g->n_listed = n_listed;
	job->rans.next = next;
}

DFS_INLINE void read_plain(struct dfs_diff_job *job, uint32_t *x, struct group *g, unsigned size)
{
	const uint8_t *next = job->rans.next;

	for (unsigned j = 0; j < g->n_listed; j++) {
		unsigned i = g->listed[j];

		g->u[i] <<= g->entry[i] >> DFS_ENTRY_BITS_AT & 0x3f;
	}
	for (unsigned low = size == 8 ? 48 : size == 4 ? 16 : 0;; low -= 16) {
		for (unsigned j = 0; j < g->n_listed; j++) {
			unsigned i = g->listed[j];
			unsigned bits = g->entry[i] >> DFS_ENTRY_BITS_AT & 0x3f;
			unsigned left = bits > low ? bits - low : 0;
			unsigned k = size <= 2 || left < 16 ? left : 16;

			g->u[i] |= (uint64_t)(x[i] & ((1u << k) - 1)) << low;
			x[i] = dfs_rans_refill(x[i] >> k, &next);
		}
		if (!low)
			break;
	}
	job->rans.next = next;
}

DFS_INLINE void apply(const struct dfs_diff_job *job, size_t n, const struct group *g, unsigned size)
{
	const struct dfs_layout l = job->table->layout;
	const uint8_t *pred = job->pred + job->at * size;
	uint8_t *out = job->out + job->at * size;

	for (size_t i = 0; i < n; i++) {
		uint64_t q = dfs_value_load(pred, i, size);

		if (size == 8)
			dfs_value_store(out, i, size, dfs_apply_64(&l, g->u[i], q));
		else
			dfs_value_store(out, i, size, dfs_apply_32(&l, g->u[i], q));
	}
}

/* Up to DFS_GROUP values, the first of which is on the lane of @x. */
DFS_INLINE void read_group(struct dfs_diff_job *job, uint32_t *x, size_t n, unsigned size)
{
	struct group g;

	read_symbols(job, x, n, &g, size);
	read_plain(job, x, &g, size);
	apply(job, n, &g, size);
	advance(job, n);
}

DFS_INLINE void rows(struct dfs_diff_job *job, unsigned size)
{
	unsigned lanes = job->rans.lanes;

	if (lanes == DFS_LANES_SMALL) {
		while (job->n - job->at >= lanes && job->rans.next <= job->rans.end)
			read_group(job, job->rans.x, DFS_LANES_SMALL, size);
		return;
	}
	while (job->n - job->at >= lanes && job->rans.next <= job->rans.end) {
		read_group(job, job->rans.x, DFS_GROUP, size);
		read_group(job, job->rans.x + DFS_GROUP, DFS_GROUP, size);
	}
}

DFS_INLINE void last(struct dfs_diff_job *job, unsigned size)
{
	unsigned step = job->rans.lanes < DFS_GROUP ? job->rans.lanes : DFS_GROUP;

	for (unsigned lane = 0; job->at < job->n; lane += step) {
		size_t left = job->n - job->at;

		read_group(job, &job->rans.x[lane], left < step ? left : step, size);
	}
}

#define KERNELS(size)								\
	void dfs_diff_rows_##size(struct dfs_diff_job *job)			\
	{									\
		rows(job, size);						\
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
