/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_avx512: rows of lanes, sixteen lanes a vector. Same words, same order
 * and same result as the plain C of diff_decode.c, which says what happens.
 */
#include "codec/diff.h"

#if defined(__x86_64__)

#include "codec/rans_avx512.h"

#define AVX512 DFS_AVX512
#define AVX512_INLINE DFS_AVX512_INLINE

/* The layout and table, one copy a lane. */
struct wide {
	const uint32_t *entries;
	__m512i slots, sign, mask, flip, exponents, top;
	__m128i log, drop, shift;
};

AVX512_INLINE struct wide wide_of(const struct dfs_diff_table *t)
{
	const struct dfs_layout *l = &t->layout;

	return (struct wide){
		.entries = t->entries,
		.slots = _mm512_set1_epi32((1u << t->log) - 1),
		.sign = _mm512_set1_epi32(l->sign),
		.mask = _mm512_set1_epi32(l->mask),
		.flip = _mm512_set1_epi32(l->sign ? l->mask : 0),
		.exponents = _mm512_set1_epi32((1u << l->exponent) - 1),
		.top = _mm512_set1_epi32(t->top),
		.log = _mm_cvtsi32_si128(t->log),
		.drop = _mm_cvtsi32_si128(l->drop),
		.shift = _mm_cvtsi32_si128(l->shift),
	};
}

AVX512_INLINE __m512i load(const uint8_t *p, unsigned size)
{
	if (size == 1)
		return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
	if (size == 2)
		return _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
	return _mm512_loadu_si512(p);
}

AVX512_INLINE void store(uint8_t *p, __m512i v, unsigned size)
{
	if (size == 1)
		_mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(v));
	else if (size == 2)
		_mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16(v));
	else
		_mm512_storeu_si512(p, v);
}

/*
 * Reads @bits plain bits, after a refill of the lanes of @low that is still to
 * be done. Which lanes need a refill after that can be told before the words
 * of the first are there, so no load waits for another: x << 16 | word is
 * below 2^(16 + k) if x is below 2^k. @bits < 16.
 */
AVX512_INLINE __m512i read_plain(__m512i *x, __mmask16 low, __m512i bits, const uint8_t **next)
{
	__m512i start = _mm512_set1_epi32(DFS_LANE_START);
	__m512i one = _mm512_set1_epi32(1);
	__m512i bound = _mm512_sllv_epi32(_mm512_mask_blend_epi32(low, start, one), bits);
	__mmask16 low_after = dfs_512_below(*x, bound);
	const uint8_t *after = *next + 2 * (size_t)_mm_popcnt_u32(low);
	__m512i filled = dfs_512_fill(*x, low, *next);

	*x = dfs_512_fill(_mm512_srlv_epi32(filled, bits), low_after, after);
	*next = after + 2 * (size_t)_mm_popcnt_u32(low_after);
	return _mm512_andnot_si512(_mm512_sllv_epi32(_mm512_set1_epi32(-1), bits), filled);
}

/* Up to 16 bits, nothing left to be done before. */
AVX512_INLINE __m512i read_plain_16(__m512i *x, __m512i bits, const uint8_t **next)
{
	__m512i plain = _mm512_andnot_si512(_mm512_sllv_epi32(_mm512_set1_epi32(-1), bits), *x);

	*x = dfs_512_refill(_mm512_srlv_epi32(*x, bits), next);
	return plain;
}

/* The folded differences of sixteen values whose tables begin at @offset. */
AVX512_INLINE __m512i read_group(const struct wide *w, __m512i *state, __m512i offset,
				 const uint8_t **next, bool long_plain)
{
	__m512i x = *state;
	__m512i slot = _mm512_add_epi32(offset, _mm512_and_si512(x, w->slots));
	__m512i entry = dfs_512_gather(w->entries, slot);
	__m512i high = _mm512_srl_epi32(x, w->log);
	__m512i freq = dfs_512_field(entry, DFS_ENTRY_FREQ_AT, 0x7ff);
	__m512i bits = dfs_512_field(entry, DFS_ENTRY_BITS_AT, 0x3f);
	__m512i top = _mm512_sllv_epi32(_mm512_and_si512(entry, _mm512_set1_epi32(15)), bits);
	__m512i plain;
	__mmask16 low;

	high = _mm512_add_epi32(_mm512_mullo_epi32(freq, high), high);
	x = _mm512_add_epi32(high, _mm512_srli_epi32(entry, DFS_ENTRY_BIAS_AT));
	low = dfs_512_low(x);
	if (long_plain) {
		__m512i sixteen = _mm512_set1_epi32(16);

		plain = read_plain(&x, low, _mm512_subs_epu16(bits, sixteen), next);
		plain = _mm512_slli_epi32(plain, 16);
		plain = _mm512_or_si512(plain, read_plain_16(&x, _mm512_min_epi32(bits, sixteen), next));
	} else {
		plain = read_plain(&x, low, bits, next);
	}
	*state = x;
	return _mm512_or_si512(top, plain);
}

/* --- values of any size and layout, in lanes of 32 bits */

/* Where the tables of the next sixteen values begin. */
AVX512_INLINE __m512i offsets(const struct dfs_diff_job *job, __m512i context)
{
	const uint32_t (*map)[DFS_CONTEXTS] = job->table->offset;
	__m512i here, after;

	here = _mm512_permutexvar_epi32(context, _mm512_load_si512(map[*job->classes]));
	if (job->left >= DFS_GROUP)
		return here;
	after = _mm512_permutexvar_epi32(context, _mm512_load_si512(map[job->classes[1]]));
	return _mm512_mask_blend_epi32((1u << job->left) - 1, after, here);
}

AVX512_INLINE void advance(struct dfs_diff_job *job, unsigned n)
{
	if (job->left > n) {
		job->left -= n;
	} else {
		job->left += job->cols - n;
		job->classes++;
	}
}

AVX512_INLINE __m512i context_of(const struct wide *w, __m512i y)
{
	__m512i exponent = _mm512_and_si512(_mm512_srl_epi32(y, w->shift), w->exponents);
	__m512i context = _mm512_max_epi32(_mm512_sub_epi32(w->top, exponent), _mm512_setzero_si512());

	return _mm512_min_epi32(context, _mm512_set1_epi32(DFS_CONTEXTS - 1));
}

AVX512_INLINE __m512i apply(const struct wide *w, __m512i u, __m512i y)
{
	__m512i odd = _mm512_sub_epi32(_mm512_setzero_si512(),
				       _mm512_and_si512(u, _mm512_set1_epi32(1)));
	__m512i d = _mm512_xor_si512(_mm512_srli_epi32(u, 1), odd);
	__m512i o = _mm512_xor_si512(y, _mm512_mask_blend_epi32(_mm512_test_epi32_mask(y, w->sign),
								w->sign, w->mask));

	o = _mm512_and_si512(_mm512_add_epi32(o, d), w->mask);
	o = _mm512_xor_si512(o, _mm512_mask_blend_epi32(_mm512_test_epi32_mask(o, w->sign),
							w->flip, w->sign));
	return _mm512_sll_epi32(o, w->drop);
}

AVX512_INLINE void group(struct dfs_diff_job *job, const struct wide *w, __m512i *state,
			 const uint8_t **next, const uint8_t *pred, uint8_t *out, __m512i map,
			 unsigned size, bool classed)
{
	__m512i y = _mm512_srl_epi32(load(pred, size), w->drop);
	__m512i context = context_of(w, y);
	__m512i offset = classed ? offsets(job, context) : _mm512_permutexvar_epi32(context, map);

	store(out, apply(w, read_group(w, state, offset, next, size == 4), y), size);
	if (classed)
		advance(job, DFS_GROUP);
}

AVX512_INLINE void rows(struct dfs_diff_job *job, unsigned size, bool classed)
{
	const struct wide w = wide_of(job->table);
	__m512i map = _mm512_load_si512(job->table->offset[0]);
	__m512i a = _mm512_load_si512(job->rans.x);
	__m512i b = _mm512_load_si512(job->rans.x + DFS_GROUP);
	const uint8_t *next = job->rans.next, *end = job->rans.end;
	size_t at = job->at;

	for (; job->n - at >= DFS_LANES && next <= end; at += DFS_LANES) {
		const uint8_t *pred = job->pred + at * size;
		uint8_t *out = job->out + at * size;

		group(job, &w, &a, &next, pred, out, map, size, classed);
		group(job, &w, &b, &next, pred + DFS_GROUP * size, out + DFS_GROUP * size, map,
		      size, classed);
	}
	_mm512_store_si512(job->rans.x, a);
	_mm512_store_si512(job->rans.x + DFS_GROUP, b);
	job->rans.next = next;
	job->at = at;
}

/* The low halves of the lanes of two vectors. */
static const uint16_t low_half_of[32] __attribute__((aligned(64))) = {
	0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30,
	32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62,
};

/* --- floats of 16 bits, nothing dropped: all but the coder in lanes of 16 bits */

AVX512_INLINE __m512i map_16(const uint32_t map[DFS_CONTEXTS])
{
	return _mm512_castsi256_si512(_mm512_cvtepi32_epi16(_mm512_load_si512(map)));
}

AVX512_INLINE __m512i offsets_16(const struct dfs_diff_job *job, __m512i context)
{
	const uint32_t (*map)[DFS_CONTEXTS] = job->table->offset;
	__m512i here, after;

	here = _mm512_permutexvar_epi16(context, map_16(map[*job->classes]));
	if (job->left >= DFS_LANES)
		return here;
	after = _mm512_permutexvar_epi16(context, map_16(map[job->classes[1]]));
	return _mm512_mask_blend_epi16((1u << job->left) - 1, after, here);
}

AVX512_INLINE __m512i apply_16(__m512i u, __m512i q)
{
	__m512i sign = _mm512_set1_epi16((short)0x8000);
	__m512i odd = _mm512_sub_epi16(_mm512_setzero_si512(),
				       _mm512_and_si512(u, _mm512_set1_epi16(1)));
	__m512i d = _mm512_xor_si512(_mm512_srli_epi16(u, 1), odd);
	/* q ^ (all ones if negative, else sign), and back: o ^ (sign if the sign bit is set, else all ones) */
	__m512i o = _mm512_ternarylogic_epi32(q, _mm512_srai_epi16(q, 15), sign, 0xf0 ^ (0xcc | 0xaa));

	o = _mm512_add_epi16(o, d);
	return _mm512_ternarylogic_epi32(o, _mm512_srai_epi16(o, 15), sign,
					 0xf0 ^ ((~0xcc & 0xff) | 0xaa));
}

AVX512_INLINE void rows_16(struct dfs_diff_job *job, bool classed)
{
	const struct dfs_diff_table *t = job->table;
	const struct wide w = wide_of(t);
	const __m512i map = map_16(t->offset[0]);
	const __m512i top = _mm512_set1_epi16(t->top);
	const __m512i exponents = _mm512_set1_epi16((1u << t->layout.exponent) - 1);
	const __m512i low_halves = _mm512_load_si512(low_half_of);
	__m512i a = _mm512_load_si512(job->rans.x);
	__m512i b = _mm512_load_si512(job->rans.x + DFS_GROUP);
	const uint8_t *next = job->rans.next, *end = job->rans.end;
	size_t at = job->at;

	for (; job->n - at >= DFS_LANES && next <= end; at += DFS_LANES) {
		__m512i q = _mm512_loadu_si512(job->pred + 2 * at);
		__m512i exponent = _mm512_and_si512(_mm512_srl_epi16(q, w.shift), exponents);
		__m512i context = _mm512_min_epu16(_mm512_subs_epu16(top, exponent),
						   _mm512_set1_epi16(DFS_CONTEXTS - 1));
		__m512i offset = classed ? offsets_16(job, context) :
					   _mm512_permutexvar_epi16(context, map);
		__m512i ua = read_group(&w, &a, _mm512_cvtepu16_epi32(_mm512_castsi512_si256(offset)),
					&next, false);
		__m512i ub = read_group(&w, &b, _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(offset, 1)),
					&next, false);
		__m512i u = _mm512_permutex2var_epi16(ua, low_halves, ub);

		_mm512_storeu_si512(job->out + 2 * at, apply_16(u, q));
		if (classed)
			advance(job, DFS_LANES);
	}
	_mm512_store_si512(job->rans.x, a);
	_mm512_store_si512(job->rans.x + DFS_GROUP, b);
	job->rans.next = next;
	job->at = at;
}

AVX512 void dfs_diff_rows_avx512_1(struct dfs_diff_job *job)
{
	if (job->classes)
		rows(job, 1, true);
	else
		rows(job, 1, false);
}

AVX512 void dfs_diff_rows_avx512_2(struct dfs_diff_job *job)
{
	const struct dfs_layout *l = &job->table->layout;
	bool plain_float = l->exponent && !l->drop;

	if (job->classes && plain_float && job->cols >= DFS_LANES)
		rows_16(job, true);
	else if (job->classes)
		rows(job, 2, true);
	else if (plain_float)
		rows_16(job, false);
	else
		rows(job, 2, false);
}

AVX512 void dfs_diff_rows_avx512_4(struct dfs_diff_job *job)
{
	if (job->classes)
		rows(job, 4, true);
	else
		rows(job, 4, false);
}

#endif
