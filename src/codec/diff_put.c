/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_put: the plain C writer: groups of values, from the last to the first,
 * and of each group first its plain bits, then its symbols.
 */
#include "codec/diff.h"

/* Plain bits of what has them, 16 at a time: the low ones are read last, so they come first. */
DFS_INLINE void put_plain(struct dfs_put_job *job, uint32_t *x, size_t at, size_t n, bool wide)
{
	uint8_t *next = job->rans.next;
	uint8_t listed[DFS_GROUP];
	unsigned n_listed = 0;

	for (size_t i = n; i--;) {
		uint64_t u = wide ? job->split.u64[at + i] : job->split.u32[at + i];

		listed[n_listed] = i;
		n_listed += u >= 16;
	}
	for (unsigned low = 0; n_listed && low + 2 < job->width; low += 16) {
		for (unsigned j = 0; j < n_listed; j++) {
			unsigned i = listed[j];
			uint64_t u = wide ? job->split.u64[at + i] : job->split.u32[at + i];
			unsigned bits = 62 - __builtin_clzll(u);
			unsigned left = bits > low ? bits - low : 0;
			unsigned k = left < 16 ? left : 16;

			x[i] = dfs_rans_put_bits(x[i], u >> low & ((1u << k) - 1), k, &next);
		}
	}
	job->rans.next = next;
}

DFS_INLINE void put_symbols(struct dfs_put_job *job, uint32_t *x, size_t at, size_t n,
			    unsigned log)
{
	const struct dfs_rans_symbol *symbols = job->symbols;
	const uint16_t *cell = job->split.cell + at;
	uint8_t *next = job->rans.next;
	bool known = true;

	for (size_t i = n; i--;) {
		known &= dfs_rans_known(&symbols[cell[i]], log);
		x[i] = dfs_rans_put(x[i], &symbols[cell[i]], log, &next);
	}
	job->declined |= !known;
	job->rans.next = next;
}

DFS_INLINE void put(struct dfs_put_job *job, size_t n, bool wide, unsigned log)
{
	unsigned lanes = job->rans.lanes;
	unsigned group = lanes < DFS_GROUP ? lanes : DFS_GROUP;

	for (size_t end = n; end;) {
		size_t at = (end - 1) / group * group;
		uint32_t *x = &job->rans.x[at % lanes];

		put_plain(job, x, at, end - at, wide);
		if (end - at == DFS_GROUP)	/* a constant for the compiler */
			put_symbols(job, x, at, DFS_GROUP, log);
		else
			put_symbols(job, x, at, end - at, log);
		end = at;
	}
}

DFS_INLINE void put_any(struct dfs_put_job *job, size_t n, bool wide)
{
	if (job->log == DFS_DIFF_LOG_MAX)
		put(job, n, wide, DFS_DIFF_LOG_MAX);
	else
		put(job, n, wide, job->log);
}

void dfs_diff_put_32(struct dfs_put_job *job, size_t n)
{
	put_any(job, n, false);
}

void dfs_diff_put_64(struct dfs_put_job *job, size_t n)
{
	put_any(job, n, true);
}
