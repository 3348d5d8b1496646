/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_put_avx512: the writer, sixteen lanes at a time; the words that
 * diff_put.c writes.
 */
#include "codec/diff.h"

#if defined(__x86_64__)

#include "codec/rans_avx512.h"

#define AVX512 DFS_AVX512
#define AVX512_INLINE DFS_AVX512_INLINE

/* @k <= 16 bits of each lane; none for lanes where it is 0. */
AVX512_INLINE __m512i put_bits(__m512i x, __m512i bits, __m512i k, uint8_t **next)
{
	__m512i above = _mm512_srlv_epi32(x, _mm512_sub_epi32(_mm512_set1_epi32(32), k));

	x = dfs_512_spill(x, _mm512_test_epi32_mask(above, above), next);
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

AVX512_INLINE __m512i put_group(__m512i x, const struct dfs_put_job *job, size_t at,
				uint8_t **next, __mmask16 *unknown, bool long_plain)
{
	const uint16_t *cell = job->split.cell + at;
	__m512i index = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)cell));

	x = put_plain(x, _mm512_loadu_si512(job->split.u32 + at), next, long_plain);
	return dfs_512_put(x, job->symbols, index, job->log, next, unknown);
}

AVX512_INLINE void put(struct dfs_put_job *job, size_t n, bool long_plain)
{
	__m512i a = _mm512_load_si512(job->rans.x);
	__m512i b = _mm512_load_si512(job->rans.x + DFS_GROUP);
	uint8_t *next = job->rans.next;
	__mmask16 unknown = 0;

	for (; n; n -= DFS_LANES) {
		b = put_group(b, job, n - DFS_GROUP, &next, &unknown, long_plain);
		a = put_group(a, job, n - DFS_LANES, &next, &unknown, long_plain);
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
