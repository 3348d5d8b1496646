/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gather: four lanes of a vector from a table, by plain loads.
 *
 * The gather instructions of AVX2 and AVX-512 are slower: some 80 steps for
 * sixteen lanes on Zen 4, and on Intel CPUs whose microcode guards against
 * Downfall. With loads, diff decodes a tenth faster on Zen 4.
 *
 * For x86-64 only.
 */
#ifndef DFS_CODEC_GATHER_H
#define DFS_CODEC_GATHER_H

#include <immintrin.h>
#include <stdint.h>

#define DFS_GATHER_INLINE static inline __attribute__((always_inline, target("sse4.1")))

/* dfs_gather_4() - from[at] for each of four numbers */
DFS_GATHER_INLINE __m128i dfs_gather_4(const uint32_t *from, __m128i at)
{
	uint64_t low = (uint64_t)_mm_cvtsi128_si64(at), high = (uint64_t)_mm_extract_epi64(at, 1);
	__m128i v = _mm_cvtsi32_si128((int)from[(uint32_t)low]);

	v = _mm_insert_epi32(v, (int)from[low >> 32], 1);
	v = _mm_insert_epi32(v, (int)from[(uint32_t)high], 2);
	return _mm_insert_epi32(v, (int)from[high >> 32], 3);
}

#endif
