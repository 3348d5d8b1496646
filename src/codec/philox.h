/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * philox: random numbers that are a function of their place.
 *
 * Philox4x32-10 of J. Salmon et al.: Parallel Random Numbers: As Easy as 1, 2,
 * 3 (SC 2011): 128 bits of counter and 64 of key become four words of 32 bits.
 * Any word can be had without those before it, on every machine the same.
 *
 * A stream is a key and the upper half of the counter. Its word number w is
 * word w % 4 of the counter whose lower half is w / 4.
 */
#ifndef DFS_CODEC_PHILOX_H
#define DFS_CODEC_PHILOX_H

#include <stddef.h>
#include <stdint.h>

#include "util/cpu.h"

struct dfs_philox {
	uint64_t key;
	uint32_t high[2];	/* words 2 and 3 of the counter */
};

#define DFS_PHILOX_COUNTERS 16

/* dfs_philox_counters() - four words for each of DFS_PHILOX_COUNTERS lower halves from @counter on; all levels give the same */
void dfs_philox_counters(enum dfs_cpu cpu, const struct dfs_philox *stream, uint64_t counter, uint32_t *out);

/* dfs_philox_words() - words number @first to @first + @n - 1 of a stream */
void dfs_philox_words(enum dfs_cpu cpu, const struct dfs_philox *stream, uint64_t first, size_t n, uint32_t *out);

#endif
