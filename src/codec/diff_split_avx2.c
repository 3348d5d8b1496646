/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_split_avx2: values of 2 bytes taken apart, eight at a time; what
 * diff_split.c gives.
 */
#include "codec/diff.h"

#if defined(__x86_64__)

#include "codec/rans_avx2.h"

#define AVX2 DFS_AVX2
#define AVX2_INLINE DFS_AVX2_INLINE

/* The layout, one copy a lane. */
struct wide {
	__m256i sign, mask, flip, exponents, low, stride;
	__m128i drop, shift, unused;
};

AVX2_INLINE struct wide wide_of(const struct dfs_layout *l)
{
	return (struct wide){
		.sign = _mm256_set1_epi32(l->sign),
		.mask = _mm256_set1_epi32(l->mask),
		.flip = _mm256_set1_epi32(l->flip),
		.exponents = _mm256_set1_epi32((1u << l->exponent) - 1),
		.low = _mm256_set1_epi32(dfs_bin_low(l)),
		.stride = _mm256_set1_epi32(dfs_tokens(l)),
		.drop = _mm_cvtsi32_si128(l->drop),
		.shift = _mm_cvtsi32_si128(l->shift),
		.unused = _mm_cvtsi32_si128(32 - l->width),
	};
}

AVX2_INLINE __m256i load(const uint8_t *p)
{
	return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
}

/* All ones where the top bit of the width is set. */
AVX2_INLINE __m256i negative(const struct wide *w, __m256i y)
{
	return _mm256_srai_epi32(_mm256_sll_epi32(y, w->unused), 31);
}

AVX2_INLINE __m256i order(const struct wide *w, __m256i y)
{
	__m256i turn = _mm256_or_si256(_mm256_and_si256(negative(w, y), w->flip), w->sign);

	return _mm256_xor_si256(y, turn);
}

/* As in diff_split_avx512.c; numbers below 2^24 are floats without rounding. */
AVX2_INLINE __m256i token_of(__m256i u)
{
	__m256i token = _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(u)), 22);
	__m256i large = _mm256_cmpgt_epi32(u, _mm256_set1_epi32(15));

	token = _mm256_sub_epi32(token, _mm256_set1_epi32(2 * 127 - 8));
	return _mm256_blendv_epi8(u, token, large);
}

AVX2_INLINE __m256i split_8(const struct wide *w, const uint8_t *pred, const uint8_t *data,
			    uint32_t *u32)
{
	__m256i y = _mm256_srl_epi32(load(pred), w->drop);
	__m256i x = _mm256_srl_epi32(load(data), w->drop);
	__m256i d = _mm256_sub_epi32(order(w, x), order(w, y));
	__m256i u = _mm256_and_si256(w->mask, _mm256_xor_si256(_mm256_slli_epi32(d, 1),
							       negative(w, d)));
	__m256i bin = _mm256_and_si256(_mm256_srl_epi32(y, w->shift), w->exponents);

	bin = _mm256_max_epi32(_mm256_sub_epi32(bin, w->low), _mm256_setzero_si256());
	bin = _mm256_min_epi32(bin, _mm256_set1_epi32(DFS_BINS - 1));
	_mm256_storeu_si256((__m256i *)u32, u);
	return _mm256_add_epi32(_mm256_mullo_epi32(bin, w->stride), token_of(u));
}

AVX2 void dfs_diff_split_avx2_2(const struct dfs_layout *l, const uint8_t *pred,
				const uint8_t *data, size_t n, struct dfs_split *out)
{
	const struct wide w = wide_of(l);
	struct dfs_split rest = *out;
	size_t i = 0;

	for (; n - i >= 16; i += 16) {
		__m256i a = split_8(&w, pred + 2 * i, data + 2 * i, out->u32 + i);
		__m256i b = split_8(&w, pred + 2 * i + 16, data + 2 * i + 16, out->u32 + i + 8);

		_mm256_storeu_si256((__m256i *)(out->cell + i),
				    _mm256_permute4x64_epi64(_mm256_packus_epi32(a, b), 0xd8));
	}
	rest.cell += i;
	rest.u32 += i;
	dfs_diff_split_2(l, pred + 2 * i, data + 2 * i, n - i, &rest);
}

#endif
