/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rans_avx2: the refill of codec/rans.h for eight lanes at once.
 *
 * For files with functions of target DFS_AVX2 only.
 */
#ifndef DFS_CODEC_RANS_AVX2_H
#define DFS_CODEC_RANS_AVX2_H

#include <immintrin.h>

#include "codec/rans.h"

#define DFS_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define DFS_AVX2_INLINE static inline __attribute__((always_inline)) DFS_AVX2

/* For each set of lanes that need a word: which of the next words each one gets (others: any). */
extern const uint8_t dfs_256_word_of[256][8];

/* Lanes whose upper half is empty take the words at @*next. */
DFS_AVX2_INLINE __m256i dfs_256_refill(__m256i x, const uint8_t **next)
{
	__m256i low = _mm256_cmpeq_epi32(_mm256_srli_epi32(x, 16), _mm256_setzero_si256());
	unsigned set = _mm256_movemask_ps(_mm256_castsi256_ps(low));
	__m256i words = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)*next));
	__m256i which = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)dfs_256_word_of[set]));
	__m256i filled = _mm256_or_si256(_mm256_slli_epi32(x, 16),
					 _mm256_permutevar8x32_epi32(words, which));

	*next += 2 * (size_t)_mm_popcnt_u32(set);
	return _mm256_blendv_epi8(x, filled, low);
}

#endif
