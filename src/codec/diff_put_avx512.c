/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_put_avx512: the writer, sixteen lanes at a time; the words that
 * diff_put.c writes.
 */
#include "codec/diff.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi2,popcnt")))
#define AVX512_INLINE static inline __attribute__((always_inline)) AVX512

/* The lanes of @full write their low halves, in order, below @*next. */
AVX512_INLINE __m512i spill(__m512i x, __mmask16 full, uint8_t **next)
{
	unsigned n = _mm_popcnt_u32(full);
	__m256i words = _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(full, x));

	*next -= 2 * n;
	_mm256_mask_storeu_epi16(*next, (1u << n) - 1, words);
	return _mm512_mask_srli_epi32(x, full, x, 16);
}

/* @k <= 16 bits of each lane; none for lanes where it is 0. */
AVX512_INLINE __m512i put_bits(__m512i x, __m512i bits, __m512i k, uint8_t **next)
{
	__m512i above = _mm512_srlv_epi32(x, _mm512_sub_epi32(_mm512_set1_epi32(32), k));

	x = spill(x, _mm512_test_epi32_mask(above, above), next);
	bits = _mm512_andnot_si512(_mm512_sllv_epi32(_mm512_set1_epi32(-1), k), bits);
	return _mm512_or_si512(_mm512_sllv_epi32(x, k), bits);
}

/* How many plain bits follow: the place of the top bit less one, from 16 on. */
AVX512_INLINE __m512i bits_of(__m512i u)
{
	__m512 f = _mm512_cvt_roundepu32_ps(u, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
	__m512i exponent = _mm512_srli_epi32(_mm512_castps_si512(f), 23);

	return _mm512_maskz_sub_epi32(_mm512_cmpge_epu32_mask(u, _mm512_set1_epi32(16)), exponent,
				      _mm512_set1_epi32(128));
}

AVX512_INLINE __m512i put_plain(__m512i x, __m512i u, uint8_t **next, bool long_plain)
{
	__m512i bits = bits_of(u), sixteen = _mm512_set1_epi32(16);

	if (!long_plain)
		return put_bits(x, u, bits, next);
	x = put_bits(x, u, _mm512_min_epi32(bits, sixteen), next);
	return put_bits(x, _mm512_srli_epi32(u, 16), _mm512_subs_epu16(bits, sixteen), next);
}

AVX512_INLINE __m512i high_product(__m512i a, __m512i b)
{
	__m512i even = _mm512_srli_epi64(_mm512_mul_epu32(a, b), 32);
	__m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32));

	return _mm512_mask_blend_epi32(0xaaaa, even, odd);
}

AVX512_INLINE __m512i field(__m512i rest, unsigned at, unsigned mask)
{
	return _mm512_and_si512(_mm512_srli_epi32(rest, at), _mm512_set1_epi32(mask));
}

/* @unknown: lanes whose symbol was never counted, added to */
AVX512_INLINE __m512i put_symbols(__m512i x, const struct dfs_rans_symbol *symbols,
				  const uint16_t *cell, unsigned log, uint8_t **next,
				  __mmask16 *unknown)
{
	const uint32_t *table = (const uint32_t *)symbols;
	__m512i index = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)cell));
	__m512i rcp = _mm512_i32gather_epi32(index, table, 8);
	__m512i rest = _mm512_i32gather_epi32(index, table + 1, 8);
	__m512i others = _mm512_and_si512(rest, _mm512_set1_epi32(DFS_SYMBOL_OTHERS));
	__m512i all = _mm512_set1_epi32(1u << log);
	__m512i freq = _mm512_sub_epi32(all, others);
	__m512i above = _mm512_srl_epi32(x, _mm_cvtsi32_si128(32 - log));
	__m512i quotient;

	*unknown |= _mm512_cmpeq_epi32_mask(others, all);
	x = spill(x, _mm512_cmpge_epu32_mask(above, freq), next);
	quotient = high_product(_mm512_add_epi32(x, _mm512_srli_epi32(rest, DFS_SYMBOL_INC_AT)), rcp);
	quotient = _mm512_srlv_epi32(quotient, field(rest, DFS_SYMBOL_SHIFT_AT, 15));
	x = _mm512_add_epi32(x, field(rest, DFS_SYMBOL_BEGIN_AT, 0xfff));
	return _mm512_add_epi32(x, _mm512_mullo_epi32(quotient, others));
}

AVX512_INLINE void put(struct dfs_put_job *job, size_t n, bool long_plain)
{
	__m512i a = _mm512_load_si512(job->rans.x);
	__m512i b = _mm512_load_si512(job->rans.x + DFS_GROUP);
	uint8_t *next = job->rans.next;
	__mmask16 unknown = 0;

	while (n) {
		n -= DFS_GROUP;
		b = put_plain(b, _mm512_loadu_si512(job->split.u32 + n), &next, long_plain);
		b = put_symbols(b, job->symbols, job->split.cell + n, job->log, &next, &unknown);
		n -= DFS_GROUP;
		a = put_plain(a, _mm512_loadu_si512(job->split.u32 + n), &next, long_plain);
		a = put_symbols(a, job->symbols, job->split.cell + n, job->log, &next, &unknown);
	}
	_mm512_store_si512(job->rans.x, a);
	_mm512_store_si512(job->rans.x + DFS_GROUP, b);
	job->rans.next = next;
	job->declined |= unknown != 0;
}

/* Plain C takes what does not fill a row of lanes: it is written first. */
AVX512 void dfs_diff_put_avx512_32(struct dfs_put_job *job, size_t n)
{
	size_t whole = n / DFS_LANES * DFS_LANES;

	if (n > whole) {
		struct dfs_put_job tail = *job;

		tail.split.cell += whole;
		tail.split.u32 += whole;
		dfs_diff_put_32(&tail, n - whole);
		job->rans = tail.rans;
		job->declined |= tail.declined;
	}
	if (job->width > 17)
		put(job, whole, true);
	else
		put(job, whole, false);
}

#endif
