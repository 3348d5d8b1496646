/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_split_avx512: values taken apart, sixteen at a time; what diff_split.c
 * gives.
 */
#include "codec/diff.h"

#if defined(__x86_64__)

#include "codec/rans_avx512.h"

#define AVX512 DFS_AVX512
#define AVX512_INLINE DFS_AVX512_INLINE

/* The layout, one copy a lane. */
struct wide {
	__m512i sign, mask, flip, exponents, low, stride;
	__m128i drop, shift, unused;
};

AVX512_INLINE struct wide wide_of(const struct dfs_layout *l)
{
	return (struct wide){
		.sign = _mm512_set1_epi32(l->sign),
		.mask = _mm512_set1_epi32(l->mask),
		.flip = _mm512_set1_epi32(l->flip),
		.exponents = _mm512_set1_epi32((1u << l->exponent) - 1),
		.low = _mm512_set1_epi32(dfs_bin_low(l)),
		.stride = _mm512_set1_epi32(dfs_tokens(l)),
		.drop = _mm_cvtsi32_si128(l->drop),
		.shift = _mm_cvtsi32_si128(l->shift),
		.unused = _mm_cvtsi32_si128(32 - l->width),
	};
}

AVX512_INLINE __m512i load(const uint8_t *p, __mmask16 lanes, unsigned size)
{
	if (size == 1)
		return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(lanes, p));
	if (size == 2)
		return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, p));
	return _mm512_maskz_loadu_epi32(lanes, p);
}

/* All ones where the top bit of the width is set. */
AVX512_INLINE __m512i negative(const struct wide *w, __m512i y)
{
	return _mm512_srai_epi32(_mm512_sll_epi32(y, w->unused), 31);
}

AVX512_INLINE __m512i order(const struct wide *w, __m512i y)
{
	__m512i turn = _mm512_or_si512(_mm512_and_si512(negative(w, y), w->flip), w->sign);

	return _mm512_xor_si512(y, turn);
}

/*
 * A number as a float, rounded towards zero, has the place of its top bit in
 * the exponent and the bit below at the top of the mantissa: with the bias
 * taken off, the token of 16 and above.
 */
AVX512_INLINE __m512i token_of(__m512i u)
{
	__m512 f = _mm512_cvt_roundepu32_ps(u, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
	__m512i token = _mm512_srli_epi32(_mm512_castps_si512(f), 22);
	__mmask16 large = _mm512_cmpge_epu32_mask(u, _mm512_set1_epi32(16));

	return _mm512_mask_sub_epi32(u, large, token, _mm512_set1_epi32(2 * 127 - 8));
}

AVX512_INLINE void split_16(const struct wide *w, const uint8_t *pred, const uint8_t *data,
			    __mmask16 lanes, uint16_t *cell, uint32_t *u32, unsigned size)
{
	__m512i y = _mm512_srl_epi32(load(pred, lanes, size), w->drop);
	__m512i x = _mm512_srl_epi32(load(data, lanes, size), w->drop);
	__m512i d = _mm512_sub_epi32(order(w, x), order(w, y));
	__m512i u = _mm512_and_si512(w->mask, _mm512_xor_si512(_mm512_slli_epi32(d, 1),
							       negative(w, d)));
	__m512i bin = _mm512_and_si512(_mm512_srl_epi32(y, w->shift), w->exponents);

	bin = _mm512_max_epi32(_mm512_sub_epi32(bin, w->low), _mm512_setzero_si512());
	bin = _mm512_min_epi32(bin, _mm512_set1_epi32(DFS_BINS - 1));
	bin = _mm512_add_epi32(_mm512_mullo_epi32(bin, w->stride), token_of(u));
	_mm512_storeu_si512(u32, u);
	_mm256_storeu_si256((__m256i *)cell, _mm512_cvtepi32_epi16(bin));
}

AVX512_INLINE void split(const struct dfs_layout *l, const uint8_t *pred, const uint8_t *data,
			 size_t n, struct dfs_split *out, unsigned size)
{
	const struct wide w = wide_of(l);
	size_t i = 0;

	for (; n - i >= 16; i += 16)
		split_16(&w, pred + i * size, data + i * size, 0xffff, out->cell + i,
			 out->u32 + i, size);
	if (i < n)
		split_16(&w, pred + i * size, data + i * size, (1u << (n - i)) - 1, out->cell + i,
			 out->u32 + i, size);
}

#define SPLIT(size)								\
	AVX512 void dfs_diff_split_avx512_##size(const struct dfs_layout *l,	\
						 const uint8_t *pred, const uint8_t *data, \
						 size_t n, struct dfs_split *out) \
	{									\
		split(l, pred, data, n, out, size);				\
	}									\
	struct split_needs_a_semicolon

SPLIT(1);
SPLIT(2);
SPLIT(4);

#endif
