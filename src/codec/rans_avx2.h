/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rans_avx2: the refill and the spill of codec/rans.h for eight lanes at once.
 *
 * For files with functions of target DFS_AVX2 only.
 */
#ifndef DFS_CODEC_RANS_AVX2_H
#define DFS_CODEC_RANS_AVX2_H

#include <immintrin.h>

#include "codec/gather.h"
#include "codec/rans.h"

#define DFS_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define DFS_AVX2_INLINE static inline __attribute__((always_inline)) DFS_AVX2

/* from[at] for each lane */
DFS_AVX2_INLINE __m256i dfs_256_gather(const uint32_t *from, __m256i at)
{
	__m128i low = dfs_gather_4(from, _mm256_castsi256_si128(at));
	__m128i high = dfs_gather_4(from, _mm256_extracti128_si256(at, 1));

	return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

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

/* For each set of lanes that write a word: which lane each of eight words comes from, the last ones being theirs. */
extern const uint8_t dfs_256_lane_of[256][8];

/* The lanes of @full (all ones) write their low halves, in order, below @*next; of 16 bytes there, any may be written. */
DFS_AVX2_INLINE __m256i dfs_256_spill(__m256i x, __m256i full, uint8_t **next)
{
	unsigned set = _mm256_movemask_ps(_mm256_castsi256_ps(full));
	__m256i which = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)dfs_256_lane_of[set]));
	__m256i words = _mm256_permutevar8x32_epi32(_mm256_and_si256(x, _mm256_set1_epi32(0xffff)),
						    which);

	words = _mm256_permute4x64_epi64(_mm256_packus_epi32(words, words), 0xd8);
	_mm_storeu_si128((__m128i *)(*next - 16), _mm256_castsi256_si128(words));
	*next -= 2 * (size_t)_mm_popcnt_u32(set);
	return _mm256_srlv_epi32(x, _mm256_and_si256(full, _mm256_set1_epi32(16)));
}

#endif
