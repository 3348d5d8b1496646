/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * freq: how often each symbol comes, as slots out of 2^log.
 *
 * deltafs-format(5), "frequencies". Frequencies are written with a few
 * significant bits each: what that costs in the coded data (a relative error
 * of e costs about e^2 / 2) is less than it saves here.
 */
#ifndef DFS_CODEC_FREQ_H
#define DFS_CODEC_FREQ_H

#include <stdint.h>

#include "codec/bits.h"

#define DFS_LOG_MIN 8
#define DFS_LOG_MAX 12
#define DFS_SYMBOLS_MAX 256

struct dfs_freq {
	uint16_t of[DFS_SYMBOLS_MAX];	/* slots of each symbol; add up to 2^log */
	unsigned n;			/* size of the alphabet */
	unsigned log;
	unsigned rest;			/* the symbol that gets what the others leave */
};

/*
 * dfs_log2_q16() - log2(v) in units of 2^-16, integer arithmetic; 0 for 0
 * log2(1 + f) = f + f (1 - f) p(f); p is the quadratic through the exact
 * values at f = 0, 1/2 and 1, which leaves an error below 2^-11.
 */
static inline uint64_t dfs_log2_q16(uint64_t v)
{
	unsigned whole;
	int64_t f, p;

	if (v < 2)
		return 0;
	whole = 63 - __builtin_clzll(v);
	f = (whole > 16 ? v >> (whole - 16) : v << (16 - whole)) & 0xffff;
	p = 29013 + ((-16214 * f + ((5466 * f >> 16) * f)) >> 16);
	return ((uint64_t)whole << 16) + f + ((f * (65536 - f) >> 16) * p >> 16);
}

/* dfs_entropy_bits() - bits that an ideal coder spends on @n counts */
uint64_t dfs_entropy_bits(const uint64_t *counts, unsigned n);

/**
 * dfs_freq_from_counts() - slots for counts
 * @precision: significant bits after the leading one; the writer's choice
 *
 * Every counted symbol gets at least one slot. All counts zero: symbol 0 gets all.
 */
void dfs_freq_from_counts(struct dfs_freq *freq, const uint64_t *counts, unsigned n, unsigned log,
			  unsigned precision);

/* dfs_freq_cost_bits() - bits that @counts take when coded with @freq */
uint64_t dfs_freq_cost_bits(const struct dfs_freq *freq, const uint64_t *counts);

#define DFS_PRECISION_BITS 3 /* width of the precision in a table */
#define DFS_FREQ_PACKED_MAX 1024 /* bytes at most of one packed */

void dfs_freq_pack(const struct dfs_freq *freq, unsigned precision, struct dfs_bit_writer *w);

/* dfs_freq_unpack() - false if the bits make no sense */
bool dfs_freq_unpack(struct dfs_freq *freq, unsigned n, unsigned log, unsigned precision,
		     struct dfs_bit_reader *r);

#endif
