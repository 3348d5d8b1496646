/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * solo_vector: rows of lanes on vector units; see solo_lanes.c.
 */
#include "codec/solo.h"

#if defined(__x86_64__)

#include "codec/rans_avx2.h"
#include "codec/rans_avx512.h"

/* --- AVX2: four vectors of eight lanes */

DFS_AVX2_INLINE __m256i read_8(const struct dfs_solo_table *t, uint32_t *states,
			       const uint8_t **next)
{
	__m256i x = _mm256_load_si256((const __m256i *)states);
	__m256i slot = _mm256_and_si256(x, _mm256_set1_epi32((1 << DFS_SOLO_LOG) - 1));
	__m256i entry = dfs_256_gather(t->entries, slot);
	__m256i high = _mm256_srli_epi32(x, DFS_SOLO_LOG);
	__m256i freq = _mm256_and_si256(_mm256_srli_epi32(entry, DFS_SOLO_FREQ_AT),
					_mm256_set1_epi32(0xfff));

	high = _mm256_add_epi32(_mm256_mullo_epi32(freq, high), high);
	x = _mm256_add_epi32(high, _mm256_srli_epi32(entry, DFS_SOLO_BIAS_AT));
	_mm256_store_si256((__m256i *)states, dfs_256_refill(x, next));
	return _mm256_and_si256(entry, _mm256_set1_epi32(0xff));
}

DFS_AVX2 size_t dfs_solo_read_avx2(struct dfs_rans_reader *r, const struct dfs_solo_table *t,
				   uint8_t *symbols, size_t n)
{
	const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
	const uint8_t *next = r->next;
	size_t at = 0;

	for (; n - at >= DFS_LANES && next <= r->end; at += DFS_LANES) {
		__m256i a = read_8(t, r->x, &next), b = read_8(t, r->x + 8, &next);
		__m256i c = read_8(t, r->x + 16, &next), d = read_8(t, r->x + 24, &next);
		__m256i all = _mm256_packus_epi16(_mm256_packus_epi32(a, b),
						  _mm256_packus_epi32(c, d));

		all = _mm256_permutevar8x32_epi32(all, in_order);
		_mm256_storeu_si256((__m256i *)(symbols + at), all);
	}
	r->next = next;
	return at;
}

/* --- AVX-512: two vectors of sixteen lanes */

DFS_AVX512_INLINE __m128i read_16(const struct dfs_solo_table *t, __m512i *state,
				  const uint8_t **next)
{
	__m512i x = *state;
	__m512i slot = _mm512_and_si512(x, _mm512_set1_epi32((1 << DFS_SOLO_LOG) - 1));
	__m512i entry = dfs_512_gather(t->entries, slot);
	__m512i high = _mm512_srli_epi32(x, DFS_SOLO_LOG);
	__m512i freq = dfs_512_field(entry, DFS_SOLO_FREQ_AT, 0xfff);

	high = _mm512_add_epi32(_mm512_mullo_epi32(freq, high), high);
	x = _mm512_add_epi32(high, _mm512_srli_epi32(entry, DFS_SOLO_BIAS_AT));
	*state = dfs_512_refill(x, next);
	return _mm512_cvtepi32_epi8(entry);
}

DFS_AVX512 size_t dfs_solo_read_avx512(struct dfs_rans_reader *r, const struct dfs_solo_table *t,
				       uint8_t *symbols, size_t n)
{
	__m512i a = _mm512_load_si512(r->x), b = _mm512_load_si512(r->x + DFS_GROUP);
	const uint8_t *next = r->next;
	size_t at = 0;

	for (; n - at >= DFS_LANES && next <= r->end; at += DFS_LANES) {
		_mm_storeu_si128((__m128i *)(symbols + at), read_16(t, &a, &next));
		_mm_storeu_si128((__m128i *)(symbols + at + DFS_GROUP), read_16(t, &b, &next));
	}
	_mm512_store_si512(r->x, a);
	_mm512_store_si512(r->x + DFS_GROUP, b);
	r->next = next;
	return at;
}

DFS_AVX512_INLINE __m512i index_of(const uint8_t *symbols)
{
	return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)symbols));
}

DFS_AVX512 bool dfs_solo_put_avx512(struct dfs_rans_writer *w, const struct dfs_solo_table *t,
				    const uint8_t *symbols, size_t n)
{
	__m512i a = _mm512_load_si512(w->x), b = _mm512_load_si512(w->x + DFS_GROUP);
	uint8_t *next = w->next;
	__mmask16 unknown = 0;

	for (; n; n -= DFS_LANES) {
		b = dfs_512_put(b, t->symbols, index_of(symbols + n - DFS_GROUP), DFS_SOLO_LOG,
				&next, &unknown);
		a = dfs_512_put(a, t->symbols, index_of(symbols + n - DFS_LANES), DFS_SOLO_LOG,
				&next, &unknown);
	}
	_mm512_store_si512(w->x, a);
	_mm512_store_si512(w->x + DFS_GROUP, b);
	w->next = next;
	return !unknown;
}

#endif
