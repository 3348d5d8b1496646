/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_avx2: rows of lanes, eight lanes a vector, two vectors a group. Same
 * words, same order and same result as the plain C of diff_rows.c, which says
 * what happens.
 */
#include "codec/diff.h"

#if defined(__x86_64__)

#include "codec/rans_avx2.h"

#define AVX2 DFS_AVX2
#define AVX2_INLINE DFS_AVX2_INLINE

/* The layout and table, one copy a lane. */
struct wide {
	const uint32_t *entries;
	__m256i slots, sign, mask, flip, exponents, top;
	__m128i log, drop, shift, unused;
};

AVX2_INLINE struct wide wide_of(const struct dfs_diff_table *t)
{
	const struct dfs_layout *l = &t->layout;

	return (struct wide){
		.entries = t->entries,
		.slots = _mm256_set1_epi32((1u << t->log) - 1),
		.sign = _mm256_set1_epi32(l->sign),
		.mask = _mm256_set1_epi32(l->mask),
		.flip = _mm256_set1_epi32(l->flip),
		.exponents = _mm256_set1_epi32((1u << l->exponent) - 1),
		.top = _mm256_set1_epi32(t->top),
		.log = _mm_cvtsi32_si128(t->log),
		.drop = _mm_cvtsi32_si128(l->drop),
		.shift = _mm_cvtsi32_si128(l->shift),
		.unused = _mm_cvtsi32_si128(32 - l->width),
	};
}

/* Sixteen lanes: a group. */
struct pair {
	__m256i a, b;
};

AVX2_INLINE struct pair load_states(const uint32_t *x)
{
	return (struct pair){ _mm256_load_si256((const __m256i *)x),
			      _mm256_load_si256((const __m256i *)(x + 8)) };
}

AVX2_INLINE void store_states(uint32_t *x, struct pair p)
{
	_mm256_store_si256((__m256i *)x, p.a);
	_mm256_store_si256((__m256i *)(x + 8), p.b);
}

AVX2_INLINE __m256i entry_bits(__m256i entry)
{
	return _mm256_and_si256(_mm256_srli_epi32(entry, DFS_ENTRY_BITS_AT),
				_mm256_set1_epi32(0x3f));
}

/* Steps the lanes of @x; refills are still to be done. */
AVX2_INLINE __m256i step(const struct wide *w, __m256i *x, __m256i offset)
{
	__m256i slot = _mm256_add_epi32(offset, _mm256_and_si256(*x, w->slots));
	__m256i entry = dfs_256_gather(w->entries, slot);
	__m256i high = _mm256_srl_epi32(*x, w->log);
	__m256i freq = _mm256_and_si256(_mm256_srli_epi32(entry, DFS_ENTRY_FREQ_AT),
					_mm256_set1_epi32(0x7ff));

	high = _mm256_add_epi32(_mm256_mullo_epi32(freq, high), high);
	*x = _mm256_add_epi32(high, _mm256_srli_epi32(entry, DFS_ENTRY_BIAS_AT));
	return entry;
}

/* Takes @bits plain bits off @x; a refill is still to be done. */
AVX2_INLINE __m256i take(__m256i *x, __m256i bits)
{
	__m256i above = _mm256_sllv_epi32(_mm256_set1_epi32(-1), bits);
	__m256i plain = _mm256_andnot_si256(above, *x);

	*x = _mm256_srlv_epi32(*x, bits);
	return plain;
}

AVX2_INLINE struct pair take_plain(struct pair *x, __m256i bits_a, __m256i bits_b,
				   const uint8_t **next)
{
	struct pair plain = { take(&x->a, bits_a), take(&x->b, bits_b) };

	x->a = dfs_256_refill(x->a, next);
	x->b = dfs_256_refill(x->b, next);
	return plain;
}

/* The folded differences of sixteen values whose tables begin at @offset. */
AVX2_INLINE struct pair read_group(const struct wide *w, uint32_t *states, struct pair offset,
				   const uint8_t **next, bool long_plain)
{
	struct pair x = load_states(states), plain;
	__m256i entry_a = step(w, &x.a, offset.a), entry_b = step(w, &x.b, offset.b);
	__m256i bits_a = entry_bits(entry_a), bits_b = entry_bits(entry_b);
	__m256i sixteen = _mm256_set1_epi32(16), top = _mm256_set1_epi32(15);

	x.a = dfs_256_refill(x.a, next);
	x.b = dfs_256_refill(x.b, next);
	if (long_plain) {
		struct pair high = take_plain(&x, _mm256_subs_epu16(bits_a, sixteen),
					      _mm256_subs_epu16(bits_b, sixteen), next);

		plain = take_plain(&x, _mm256_min_epi32(bits_a, sixteen),
				   _mm256_min_epi32(bits_b, sixteen), next);
		plain.a = _mm256_or_si256(plain.a, _mm256_slli_epi32(high.a, 16));
		plain.b = _mm256_or_si256(plain.b, _mm256_slli_epi32(high.b, 16));
	} else {
		plain = take_plain(&x, bits_a, bits_b, next);
	}
	store_states(states, x);
	return (struct pair){
		_mm256_or_si256(_mm256_sllv_epi32(_mm256_and_si256(entry_a, top), bits_a), plain.a),
		_mm256_or_si256(_mm256_sllv_epi32(_mm256_and_si256(entry_b, top), bits_b), plain.b),
	};
}

AVX2_INLINE __m256i map_of(const struct dfs_diff_table *t, unsigned class)
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)t->map[class]));
}

AVX2_INLINE void advance(struct dfs_diff_job *job, unsigned n)
{
	if (job->left > n) {
		job->left -= n;
	} else {
		job->left += job->cols - n;
		job->classes++;
	}
}

/* --- values of any size and layout, in lanes of 32 bits */

AVX2_INLINE __m256i load(const uint8_t *p, unsigned size)
{
	if (size == 1)
		return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
	if (size == 2)
		return _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
	return _mm256_loadu_si256((const __m256i *)p);
}

AVX2_INLINE void store(uint8_t *p, __m256i v, unsigned size)
{
	__m128i low, high, packed;

	if (size == 4) {
		_mm256_storeu_si256((__m256i *)p, v);
		return;
	}
	low = _mm256_castsi256_si128(v);
	high = _mm256_extracti128_si256(v, 1);
	packed = _mm_packus_epi32(low, high);
	if (size == 2)
		_mm_storeu_si128((__m128i *)p, packed);
	else
		_mm_storel_epi64((__m128i *)p, _mm_packus_epi16(packed, packed));
}

/* Where the tables of eight values begin. */
AVX2_INLINE __m256i offset_of(struct dfs_diff_job *job, const struct wide *w, __m256i y, bool classed)
{
	__m256i exponent = _mm256_and_si256(_mm256_srl_epi32(y, w->shift), w->exponents);
	__m256i context = _mm256_max_epi32(_mm256_sub_epi32(w->top, exponent), _mm256_setzero_si256());
	__m256i table, after, here;

	context = _mm256_min_epi32(context, _mm256_set1_epi32(DFS_CONTEXTS - 1));
	/* the upper bytes of a lane choose nothing */
	context = _mm256_or_si256(context, _mm256_set1_epi32((int)0x80808000));
	table = _mm256_shuffle_epi8(map_of(job->table, classed ? *job->classes : 0), context);
	if (classed) {
		if (job->left < 8) {
			after = _mm256_shuffle_epi8(map_of(job->table, job->classes[1]), context);
			here = _mm256_cmpgt_epi32(_mm256_set1_epi32(job->left),
						  _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
			table = _mm256_blendv_epi8(after, table, here);
		}
		advance(job, 8);
	}
	return _mm256_sll_epi32(table, w->log);
}

AVX2_INLINE __m256i apply(const struct wide *w, __m256i u, __m256i y)
{
	__m256i odd = _mm256_sub_epi32(_mm256_setzero_si256(),
				       _mm256_and_si256(u, _mm256_set1_epi32(1)));
	__m256i d = _mm256_xor_si256(_mm256_srli_epi32(u, 1), odd);
	__m256i negative = _mm256_srai_epi32(_mm256_sll_epi32(y, w->unused), 31);
	__m256i o = _mm256_xor_si256(y, _mm256_or_si256(_mm256_and_si256(negative, w->flip), w->sign));

	o = _mm256_and_si256(_mm256_add_epi32(o, d), w->mask);
	negative = _mm256_srai_epi32(_mm256_sll_epi32(o, w->unused), 31);
	o = _mm256_xor_si256(o, _mm256_or_si256(_mm256_andnot_si256(negative, w->flip), w->sign));
	return _mm256_sll_epi32(o, w->drop);
}

AVX2_INLINE void group(struct dfs_diff_job *job, const struct wide *w, uint32_t *states,
		       const uint8_t **next, size_t at, unsigned size, bool classed)
{
	const uint8_t *pred = job->pred + at * size;
	uint8_t *out = job->out + at * size;
	struct pair y, offset, u;

	y.a = _mm256_srl_epi32(load(pred, size), w->drop);
	y.b = _mm256_srl_epi32(load(pred + 8 * size, size), w->drop);
	offset.a = offset_of(job, w, y.a, classed);
	offset.b = offset_of(job, w, y.b, classed);
	u = read_group(w, states, offset, next, size == 4);
	store(out, apply(w, u.a, y.a), size);
	store(out + 8 * size, apply(w, u.b, y.b), size);
}

AVX2_INLINE void rows(struct dfs_diff_job *job, unsigned size, bool classed)
{
	const struct wide w = wide_of(job->table);
	const uint8_t *next = job->rans.next, *end = job->rans.end;
	size_t at = job->at;

	for (; job->n - at >= DFS_LANES && next <= end; at += DFS_LANES) {
		group(job, &w, job->rans.x, &next, at, size, classed);
		group(job, &w, job->rans.x + DFS_GROUP, &next, at + DFS_GROUP, size, classed);
	}
	job->rans.next = next;
	job->at = at;
}

/* --- floats of 16 bits, nothing dropped: all but the coder in lanes of 16 bits */

AVX2_INLINE struct pair offset_16(struct dfs_diff_job *job, const struct wide *w, __m256i q,
				  __m256i top, __m256i exponents, __m256i map, bool classed)
{
	__m256i exponent = _mm256_and_si256(_mm256_srl_epi16(q, w->shift), exponents);
	__m256i context = _mm256_min_epu16(_mm256_subs_epu16(top, exponent),
					   _mm256_set1_epi16(DFS_CONTEXTS - 1));
	__m256i table, after, here;

	context = _mm256_or_si256(context, _mm256_set1_epi16((short)0x8000));
	table = _mm256_shuffle_epi8(classed ? map_of(job->table, *job->classes) : map, context);
	if (classed) {
		if (job->left < DFS_GROUP) {
			after = _mm256_shuffle_epi8(map_of(job->table, job->classes[1]), context);
			here = _mm256_cmpgt_epi16(_mm256_set1_epi16(job->left),
						  _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
								    11, 12, 13, 14, 15));
			table = _mm256_blendv_epi8(after, table, here);
		}
		advance(job, DFS_GROUP);
	}
	return (struct pair){
		_mm256_sll_epi32(_mm256_cvtepu16_epi32(_mm256_castsi256_si128(table)), w->log),
		_mm256_sll_epi32(_mm256_cvtepu16_epi32(_mm256_extracti128_si256(table, 1)), w->log),
	};
}

AVX2_INLINE __m256i apply_16(struct pair folded, __m256i q)
{
	__m256i sign = _mm256_set1_epi16((short)0x8000);
	__m256i u = _mm256_permute4x64_epi64(_mm256_packus_epi32(folded.a, folded.b), 0xd8);
	__m256i odd = _mm256_sub_epi16(_mm256_setzero_si256(),
				       _mm256_and_si256(u, _mm256_set1_epi16(1)));
	__m256i d = _mm256_xor_si256(_mm256_srli_epi16(u, 1), odd);
	__m256i o = _mm256_xor_si256(q, _mm256_or_si256(_mm256_srai_epi16(q, 15), sign));

	o = _mm256_add_epi16(o, d);
	/* not (set or sign): the sign bit alone if it is set, else all bits, but the other way round */
	return _mm256_xor_si256(o, _mm256_or_si256(
			_mm256_xor_si256(_mm256_srai_epi16(o, 15), _mm256_set1_epi16(-1)), sign));
}

AVX2_INLINE void rows_16(struct dfs_diff_job *job, bool classed)
{
	const struct dfs_diff_table *t = job->table;
	const struct wide w = wide_of(t);
	const __m256i map = map_of(t, 0);
	const __m256i top = _mm256_set1_epi16(t->top);
	const __m256i exponents = _mm256_set1_epi16((1u << t->layout.exponent) - 1);
	const uint8_t *next = job->rans.next, *end = job->rans.end;
	size_t at = job->at;

	while (job->n - at >= DFS_LANES && next <= end) {
		for (unsigned lane = 0; lane < DFS_LANES; lane += DFS_GROUP, at += DFS_GROUP) {
			__m256i q = _mm256_loadu_si256((const __m256i *)(job->pred + 2 * at));
			struct pair offset = offset_16(job, &w, q, top, exponents, map, classed);
			struct pair u = read_group(&w, job->rans.x + lane, offset, &next, false);

			_mm256_storeu_si256((__m256i *)(job->out + 2 * at), apply_16(u, q));
		}
	}
	job->rans.next = next;
	job->at = at;
}

AVX2 void dfs_diff_rows_avx2_1(struct dfs_diff_job *job)
{
	if (job->classes)
		rows(job, 1, true);
	else
		rows(job, 1, false);
}

AVX2 void dfs_diff_rows_avx2_2(struct dfs_diff_job *job)
{
	const struct dfs_layout *l = &job->table->layout;
	bool plain_float = l->exponent && !l->drop;

	if (job->classes && plain_float)
		rows_16(job, true);
	else if (job->classes)
		rows(job, 2, true);
	else if (plain_float)
		rows_16(job, false);
	else
		rows(job, 2, false);
}

AVX2 void dfs_diff_rows_avx2_4(struct dfs_diff_job *job)
{
	if (job->classes)
		rows(job, 4, true);
	else
		rows(job, 4, false);
}

#endif
