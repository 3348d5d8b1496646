/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_put: the plain C writer: groups of values, from the last to the first,
 * and of each group first its plain bits, then its symbols.
 */
#include "codec/diff.h"

/* What is known to the compiler about a chunk. */
struct kind {
	unsigned lanes;
	unsigned log;
	bool wide;	/* folded differences have 64 bits */
	bool in_one;	/* no more than 16 plain bits: in one piece */
};

DFS_INLINE uint64_t folded(const struct dfs_put_job *job, size_t i, struct kind kind)
{
	return kind.wide ? job->split.u64[i] : job->split.u32[i];
}

/* Plain bits of what has them, 16 at a time: the low ones are read last, so they come first. */
DFS_INLINE void put_plain(struct dfs_put_job *job, uint32_t *x, size_t at, size_t n,
			  struct kind kind)
{
	uint8_t *next = job->rans.next;
	uint8_t listed[DFS_GROUP];
	unsigned n_listed = 0;

	for (size_t i = n; i--;) {
		listed[n_listed] = i;
		n_listed += folded(job, at + i, kind) >= 16;
	}
	for (unsigned low = 0; low == 0 || low + 2 < job->width; low += 16) {
		for (unsigned j = 0; j < n_listed; j++) {
			unsigned i = listed[j];
			uint64_t u = folded(job, at + i, kind);
			unsigned bits = 62 - __builtin_clzll(u);
			unsigned left = bits > low ? bits - low : 0;
			unsigned k = kind.in_one ? bits : left < 16 ? left : 16;

			x[i] = dfs_rans_put_bits(x[i], u >> low & ((1u << k) - 1), k, &next);
		}
		if (kind.in_one || !n_listed)
			break;
	}
	job->rans.next = next;
}

DFS_INLINE void put_symbols(struct dfs_put_job *job, uint32_t *x, size_t at, size_t n,
			    struct kind kind)
{
	const struct dfs_rans_symbol *symbols = job->symbols;
	const uint16_t *cell = job->split.cell + at;
	uint8_t *next = job->rans.next;
	uint32_t rests = 0;

	for (size_t i = n; i--;) {
		rests |= symbols[cell[i]].rest;
		x[i] = dfs_rans_put(x[i], &symbols[cell[i]], kind.log, &next);
	}
	job->declined |= !dfs_rans_known(rests, kind.log);
	job->rans.next = next;
}

DFS_INLINE void put_group(struct dfs_put_job *job, size_t at, size_t n, struct kind kind)
{
	uint32_t *x = &job->rans.x[at % kind.lanes];

	put_plain(job, x, at, n, kind);
	put_symbols(job, x, at, n, kind);
}

DFS_INLINE void put(struct dfs_put_job *job, size_t n, struct kind kind)
{
	size_t group = kind.lanes < DFS_GROUP ? kind.lanes : DFS_GROUP;
	size_t at = n / group * group;

	if (n > at)
		put_group(job, at, n - at, kind);
	while (at) {
		at -= group;
		put_group(job, at, group, kind);
	}
}

/* What is common is worth a copy of its own, with lanes and shifts known. */
DFS_INLINE void put_any(struct dfs_put_job *job, size_t n, bool wide)
{
	bool in_one = job->width <= 17;

	if (job->rans.lanes == DFS_LANES_SMALL)
		put(job, n, (struct kind){ DFS_LANES_SMALL, job->log, wide, false });
	else if (job->log == DFS_DIFF_LOG_MAX && in_one && !wide)
		put(job, n, (struct kind){ DFS_LANES, DFS_DIFF_LOG_MAX, wide, true });
	else if (job->log == DFS_DIFF_LOG_MAX)
		put(job, n, (struct kind){ DFS_LANES, DFS_DIFF_LOG_MAX, wide, false });
	else
		put(job, n, (struct kind){ DFS_LANES, job->log, wide, false });
}

void dfs_diff_put_32(struct dfs_put_job *job, size_t n)
{
	put_any(job, n, false);
}

void dfs_diff_put_64(struct dfs_put_job *job, size_t n)
{
	put_any(job, n, true);
}
