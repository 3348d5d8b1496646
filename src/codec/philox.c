/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * philox: sixteen counters side by side, one in each lane of a vector.
 */
#include "codec/philox.h"

#include <string.h>

#define ROUNDS 10
#define LANES DFS_PHILOX_COUNTERS
#define WORDS (4 * LANES)

/* Multipliers of the two halves, and what each round adds to the key. */
#define MULTIPLY_0 0xd2511f53u
#define MULTIPLY_1 0xcd9e8d57u
#define WEYL_0 0x9e3779b9u
#define WEYL_1 0xbb67ae85u

#define KERNEL(level, target)								\
	target static void words_##level(const struct dfs_philox *stream, uint64_t counter, uint32_t *out) \
	{										\
		uint32_t key[2] = { (uint32_t)stream->key, (uint32_t)(stream->key >> 32) };	\
		uint32_t c[4][LANES];							\
											\
		for (uint32_t i = 0; i < LANES; i++) {					\
			c[0][i] = (uint32_t)counter + i;				\
			c[1][i] = (uint32_t)(counter >> 32) + (c[0][i] < i);		\
			c[2][i] = stream->high[0];					\
			c[3][i] = stream->high[1];					\
		}									\
		for (unsigned round = 0; round < ROUNDS; round++) {			\
			for (size_t i = 0; i < LANES; i++) {				\
				uint64_t a = (uint64_t)MULTIPLY_0 * c[0][i];		\
				uint64_t b = (uint64_t)MULTIPLY_1 * c[2][i];		\
											\
				c[0][i] = (uint32_t)(b >> 32) ^ c[1][i] ^ key[0];	\
				c[1][i] = (uint32_t)b;					\
				c[2][i] = (uint32_t)(a >> 32) ^ c[3][i] ^ key[1];	\
				c[3][i] = (uint32_t)a;					\
			}								\
			key[0] += WEYL_0;						\
			key[1] += WEYL_1;						\
		}									\
		for (size_t i = 0; i < LANES; i++)					\
			for (size_t w = 0; w < 4; w++)					\
				out[4 * i + w] = c[w][i];				\
	}

KERNEL(portable, )
KERNEL(avx2, DFS_FOR_AVX2)
KERNEL(avx512, DFS_FOR_AVX512)

typedef void words_fn(const struct dfs_philox *stream, uint64_t counter, uint32_t *out);

static words_fn *const words_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(words);

void dfs_philox_counters(enum dfs_cpu cpu, const struct dfs_philox *stream, uint64_t counter, uint32_t *out)
{
	words_of_level[cpu](stream, counter, out);
}

void dfs_philox_words(enum dfs_cpu cpu, const struct dfs_philox *stream, uint64_t first, size_t n, uint32_t *out)
{
	size_t skip = first % 4;	/* of the first lane */
	uint32_t words[WORDS];

	for (uint64_t counter = first / 4; n > 0; counter += LANES, skip = 0) {
		size_t now = n < WORDS - skip ? n : WORDS - skip;

		words_of_level[cpu](stream, counter, words);
		memcpy(out, words + skip, now * sizeof(*out));
		out += now;
		n -= now;
	}
}
