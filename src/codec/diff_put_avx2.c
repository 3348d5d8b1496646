/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_put_avx2: the writer for values of up to 17 bits, eight lanes at a time;
 * the words that diff_put.c writes.
 */
#include "codec/diff.h"

#if defined(__x86_64__)

#include "codec/rans_avx2.h"

#define AVX2 DFS_AVX2
#define AVX2_INLINE DFS_AVX2_INLINE

struct pair {
	__m256i a, b;
};

/* @k <= 16 bits of each lane; none for lanes where it is 0. */
AVX2_INLINE __m256i put_bits(__m256i x, __m256i bits, __m256i k, uint8_t **next)
{
	__m256i above = _mm256_srlv_epi32(x, _mm256_sub_epi32(_mm256_set1_epi32(32), k));
	__m256i fits = _mm256_cmpeq_epi32(above, _mm256_setzero_si256());

	x = dfs_256_spill(x, _mm256_xor_si256(fits, _mm256_set1_epi32(-1)), next);
	bits = _mm256_andnot_si256(_mm256_sllv_epi32(_mm256_set1_epi32(-1), k), bits);
	return _mm256_or_si256(_mm256_sllv_epi32(x, k), bits);
}

/* How many plain bits follow: the place of the top bit less one, from 16 on. As a float, u is not rounded. */
AVX2_INLINE __m256i bits_of(__m256i u)
{
	__m256i exponent = _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(u)), 23);

	return _mm256_and_si256(_mm256_sub_epi32(exponent, _mm256_set1_epi32(128)),
				_mm256_cmpgt_epi32(u, _mm256_set1_epi32(15)));
}

AVX2_INLINE __m256i put_plain(__m256i x, const uint32_t *u32, uint8_t **next)
{
	__m256i u = _mm256_loadu_si256((const __m256i *)u32);

	return put_bits(x, u, bits_of(u), next);
}

AVX2_INLINE __m256i high_product(__m256i a, __m256i b)
{
	__m256i even = _mm256_srli_epi64(_mm256_mul_epu32(a, b), 32);
	__m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));

	return _mm256_blend_epi32(even, odd, 0xaa);
}

AVX2_INLINE __m256i field(__m256i v, unsigned at, unsigned mask)
{
	return _mm256_and_si256(_mm256_srli_epi32(v, at), _mm256_set1_epi32(mask));
}

/* dfs_rans_put(); what symbols say is added to @rests. */
AVX2_INLINE __m256i put_symbols(__m256i x, const struct dfs_put_job *job, const uint16_t *cell,
				uint8_t **next, __m256i *rests)
{
	__m256i index = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)cell));
	__m256i half = _mm256_slli_epi32(index, 1); /* symbols have 16 bytes, gathers step by 8 */
	__m256i rcp = _mm256_i32gather_epi32((const int *)&job->symbols->rcp, half, 8);
	__m256i rest = _mm256_i32gather_epi32((const int *)&job->symbols->rest, half, 8);
	__m256i others = _mm256_and_si256(rest, _mm256_set1_epi32(DFS_SYMBOL_OTHERS));
	__m256i above = _mm256_srl_epi32(x, _mm_cvtsi32_si128(32 - job->log));
	__m256i quotient;

	*rests = _mm256_or_si256(*rests, rest);
	x = dfs_256_spill(x, _mm256_cmpgt_epi32(_mm256_add_epi32(above, others),
						_mm256_set1_epi32((1 << job->log) - 1)), next);
	quotient = _mm256_add_epi32(x, _mm256_srli_epi32(rest, DFS_SYMBOL_INC_AT));
	quotient = high_product(quotient, rcp);
	quotient = _mm256_srlv_epi32(quotient, field(rest, DFS_SYMBOL_SHIFT_AT, 15));
	x = _mm256_add_epi32(x, field(rest, DFS_SYMBOL_BEGIN_AT, 0xfff));
	return _mm256_add_epi32(x, _mm256_mullo_epi32(quotient, others));
}

AVX2_INLINE void put_group(struct pair *x, const struct dfs_put_job *job, size_t at,
			   uint8_t **next, __m256i *rests)
{
	const uint16_t *cell = job->split.cell + at;
	const uint32_t *u32 = job->split.u32 + at;

	x->b = put_plain(x->b, u32 + 8, next);
	x->a = put_plain(x->a, u32, next);
	x->b = put_symbols(x->b, job, cell + 8, next, rests);
	x->a = put_symbols(x->a, job, cell, next, rests);
}

AVX2_INLINE struct pair load(const uint32_t *x)
{
	return (struct pair){ _mm256_load_si256((const __m256i *)x),
			      _mm256_load_si256((const __m256i *)(x + 8)) };
}

AVX2_INLINE void store(uint32_t *x, struct pair p)
{
	_mm256_store_si256((__m256i *)x, p.a);
	_mm256_store_si256((__m256i *)(x + 8), p.b);
}

AVX2_INLINE void put(struct dfs_put_job *job, size_t n)
{
	struct pair low = load(job->rans.x), high = load(job->rans.x + DFS_GROUP);
	__m256i unknown = _mm256_set1_epi32(1 << job->log);
	__m256i rests = _mm256_setzero_si256();
	uint8_t *next = job->rans.next;

	for (; n; n -= DFS_LANES) {
		put_group(&high, job, n - DFS_GROUP, &next, &rests);
		put_group(&low, job, n - DFS_LANES, &next, &rests);
	}
	store(job->rans.x, low);
	store(job->rans.x + DFS_GROUP, high);
	job->rans.next = next;
	job->declined |= !_mm256_testz_si256(rests, unknown);
}

/* Plain C takes what does not fill a row of lanes: it is written first. */
AVX2 void dfs_diff_put_avx2_32(struct dfs_put_job *job, size_t n)
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
	put(job, whole);
}

#endif
