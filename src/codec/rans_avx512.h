/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rans_avx512: the steps of codec/rans.h for sixteen lanes at once.
 *
 * For files with functions of target DFS_AVX512 only.
 */
#ifndef DFS_CODEC_RANS_AVX512_H
#define DFS_CODEC_RANS_AVX512_H

#include <immintrin.h>

#include "codec/gather.h"
#include "codec/rans.h"

#define DFS_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi2,popcnt")))
#define DFS_AVX512_INLINE static inline __attribute__((always_inline)) DFS_AVX512

DFS_AVX512_INLINE __mmask16 dfs_512_below(__m512i x, __m512i bound)
{
	return _mm512_cmplt_epu32_mask(x, bound);
}

DFS_AVX512_INLINE __mmask16 dfs_512_low(__m512i x)
{
	return dfs_512_below(x, _mm512_set1_epi32(DFS_LANE_START));
}

/* The lanes of @low take the words at @next. */
DFS_AVX512_INLINE __m512i dfs_512_fill(__m512i x, __mmask16 low, const uint8_t *next)
{
	__m512i words = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)next));

	return _mm512_mask_or_epi32(x, low, _mm512_slli_epi32(x, 16),
				    _mm512_maskz_expand_epi32(low, words));
}

DFS_AVX512_INLINE __m512i dfs_512_refill(__m512i x, const uint8_t **next)
{
	__mmask16 low = dfs_512_low(x);

	x = dfs_512_fill(x, low, *next);
	*next += 2 * (size_t)_mm_popcnt_u32(low);
	return x;
}

/* from[at] for each lane */
DFS_AVX512_INLINE __m512i dfs_512_gather(const uint32_t *from, __m512i at)
{
	__m512i v = _mm512_castsi128_si512(dfs_gather_4(from, _mm512_castsi512_si128(at)));

	v = _mm512_inserti32x4(v, dfs_gather_4(from, _mm512_extracti32x4_epi32(at, 1)), 1);
	v = _mm512_inserti32x4(v, dfs_gather_4(from, _mm512_extracti32x4_epi32(at, 2)), 2);
	return _mm512_inserti32x4(v, dfs_gather_4(from, _mm512_extracti32x4_epi32(at, 3)), 3);
}

/* The lanes of @full write their low halves, in order, below @*next. */
DFS_AVX512_INLINE __m512i dfs_512_spill(__m512i x, __mmask16 full, uint8_t **next)
{
	unsigned n = _mm_popcnt_u32(full);
	__m256i words = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(full, x));

	*next -= 2 * (size_t)n;
	_mm256_mask_storeu_epi16(*next, (1u << n) - 1, words);
	return _mm512_mask_srli_epi32(x, full, x, 16);
}

DFS_AVX512_INLINE __m512i dfs_512_high_product(__m512i a, __m512i b)
{
	__m512i even = _mm512_srli_epi64(_mm512_mul_epu32(a, b), 32);
	__m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32));

	return _mm512_mask_blend_epi32(0xaaaa, even, odd);
}

DFS_AVX512_INLINE __m512i dfs_512_field(__m512i v, unsigned at, unsigned mask)
{
	return _mm512_and_si512(_mm512_srli_epi32(v, at), _mm512_set1_epi32(mask));
}

/*
 * dfs_rans_put() of the symbols numbered @index
 * @unknown: lanes whose symbol was never counted are added to it
 */
DFS_AVX512_INLINE __m512i dfs_512_put(__m512i x, const struct dfs_rans_symbol *symbols,
				      __m512i index, unsigned log, uint8_t **next,
				      __mmask16 *unknown)
{
	__m512i half = _mm512_slli_epi32(index, 1); /* symbols have 16 bytes, gathers step by 8 */
	__m512i rcp = _mm512_i32gather_epi32(half, &symbols->rcp, 8);
	__m512i rest = _mm512_i32gather_epi32(half, &symbols->rest, 8);
	__m512i others = _mm512_and_si512(rest, _mm512_set1_epi32(DFS_SYMBOL_OTHERS));
	__m512i all = _mm512_set1_epi32(1u << log);
	__m512i above = _mm512_srl_epi32(x, _mm_cvtsi32_si128(32 - log));
	__m512i quotient;

	*unknown |= _mm512_cmpeq_epi32_mask(others, all);
	x = dfs_512_spill(x, _mm512_cmpge_epu32_mask(above, _mm512_sub_epi32(all, others)), next);
	quotient = _mm512_add_epi32(x, _mm512_srli_epi32(rest, DFS_SYMBOL_INC_AT));
	quotient = dfs_512_high_product(quotient, rcp);
	quotient = _mm512_srlv_epi32(quotient, dfs_512_field(rest, DFS_SYMBOL_SHIFT_AT, 15));
	x = _mm512_add_epi32(x, dfs_512_field(rest, DFS_SYMBOL_BEGIN_AT, 0xfff));
	return _mm512_add_epi32(x, _mm512_mullo_epi32(quotient, others));
}

#endif
