/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_split: values and predictions, taken apart into what gets counted and coded.
 *
 * Plain C, in loops of a fixed number of steps over arrays that nothing else
 * can be part of: compilers make vectors of them that every CPU has.
 */
#include "codec/diff.h"

#define RUN 16

DFS_INLINE unsigned bin_of(int exponent, int low)
{
	int bin = exponent - low;

	bin &= ~(bin >> 31);
	return bin < DFS_BINS ? bin : DFS_BINS - 1;
}

/*
 * dfs_token_of() without counting zeros, which vectors cannot: a number as a
 * float has the place of its top bit in the exponent and the bit below at the
 * top of the mantissa. Half of it is a signed number, as the conversion wants;
 * with the bit three below the top cleared, rounding never gets that far up.
 */
DFS_INLINE uint32_t token_of(uint32_t u)
{
	float half = (int32_t)((u & ~(u >> 3)) >> 1);
	uint32_t small = -(uint32_t)(u < 16);
	uint32_t large;

	memcpy(&large, &half, sizeof(large));
	large = (large >> 22) - 2 * (127 - 1) + 8;
	return large ^ ((large ^ u) & small);
}

struct run {
	uint32_t u[RUN];
	int16_t exponent[RUN];
	uint16_t cell[RUN];
};

DFS_INLINE void split_differences(const struct dfs_layout *l, const uint8_t *pred,
				  const uint8_t *data, struct run *run, unsigned size,
				  unsigned shift, uint16_t exponents)
{
	uint8_t p[4 * RUN], d[4 * RUN];

	memcpy(p, pred, RUN * size);
	memcpy(d, data, RUN * size);
	for (unsigned i = 0; i < RUN; i++) {
		uint32_t q = dfs_value_load(p, i, size), x = dfs_value_load(d, i, size);

		run->u[i] = size <= 2 ? dfs_diff_16(l, x, q) : dfs_diff_32(l, x, q);
		if (size <= 2)
			run->exponent[i] = (uint16_t)((uint16_t)q >> shift) & exponents;
		else
			run->exponent[i] = q >> shift & exponents;
	}
}

DFS_INLINE void split_cells(struct run *run, int16_t low, uint16_t stride)
{
	uint32_t token[RUN];

	for (unsigned i = 0; i < RUN; i++)
		token[i] = token_of(run->u[i]);
	for (unsigned i = 0; i < RUN; i++) {
		int16_t bin = run->exponent[i] - low;

		bin = bin > 0 ? bin : 0;
		bin = bin < DFS_BINS ? bin : DFS_BINS - 1;
		run->cell[i] = (uint16_t)bin * stride + token[i];
	}
}

/* Values of up to 4 bytes. */
DFS_INLINE void split(const struct dfs_layout *layout, const uint8_t *pred, const uint8_t *data,
		      size_t n, struct dfs_split *out, unsigned size, bool whole, unsigned shift)
{
	const struct dfs_layout l = whole ? dfs_whole_layout(size) : *layout;
	uint16_t exponents = (1u << layout->exponent) - 1;
	unsigned low = dfs_bin_low(layout), stride = dfs_tokens(layout);
	uint8_t last_pred[4 * RUN] = { 0 }, last_data[4 * RUN] = { 0 };
	struct run run;

	for (size_t i = 0; i < n; i += RUN) {
		const uint8_t *p = pred + i * size, *d = data + i * size;

		if (n - i < RUN) {
			p = memcpy(last_pred, p, (n - i) * size);
			d = memcpy(last_data, d, (n - i) * size);
		}
		split_differences(&l, p, d, &run, size, shift, exponents);
		split_cells(&run, low, stride);
		memcpy(out->u32 + i, run.u, sizeof(run.u));
		memcpy(out->cell + i, run.cell, sizeof(run.cell));
	}
}

DFS_INLINE void split_wide(const struct dfs_layout *layout, const uint8_t *pred,
			   const uint8_t *data, size_t n, struct dfs_split *out, bool whole)
{
	const struct dfs_layout l = whole ? dfs_whole_layout(8) : *layout;
	unsigned shift = layout->drop + layout->shift;
	uint32_t exponents = (1u << layout->exponent) - 1;
	unsigned low = dfs_bin_low(layout), stride = dfs_tokens(layout);

	for (size_t i = 0; i < n; i++) {
		uint64_t q = dfs_value_load(pred, i, 8);
		uint64_t u = dfs_diff_64(&l, dfs_value_load(data, i, 8), q);

		out->cell[i] = bin_of(q >> shift & exponents, low) * stride + dfs_token_of(u);
		out->u64[i] = u;
	}
}

/* What is common is worth a copy of its own: with a constant shift, vectors stay narrow. */
#define SPLIT(size, common_shift)						\
	void dfs_diff_split_##size(const struct dfs_layout *l, const uint8_t *pred, \
				   const uint8_t *data, size_t n, struct dfs_split *out) \
	{									\
		if (dfs_layout_is_whole(l) && l->shift == common_shift)		\
			split(l, pred, data, n, out, size, true, common_shift);	\
		else if (dfs_layout_is_whole(l))				\
			split(l, pred, data, n, out, size, true, l->shift);	\
		else								\
			split(l, pred, data, n, out, size, false, l->drop + l->shift); \
	}									\
	struct split_needs_a_semicolon

SPLIT(1, 3);	/* E4M3 */
SPLIT(2, 7);	/* BF16 */
SPLIT(4, 23);

void dfs_diff_split_8(const struct dfs_layout *l, const uint8_t *pred, const uint8_t *data,
		      size_t n, struct dfs_split *out)
{
	if (dfs_layout_is_whole(l))
		split_wide(l, pred, data, n, out, true);
	else
		split_wide(l, pred, data, n, out, false);
}

#if defined(__x86_64__)
#define AVX2(kernel) kernel
#define AVX512(kernel) kernel
#else
#define AVX2(kernel) NULL
#define AVX512(kernel) NULL
#endif

/* By bytes a value; NULL: as one level below. */
static dfs_split_fn *const kernels[][DFS_CPU_LEVELS] = {
	[1] = { dfs_diff_split_1, NULL, AVX512(dfs_diff_split_avx512_1) },
	[2] = { dfs_diff_split_2, AVX2(dfs_diff_split_avx2_2), AVX512(dfs_diff_split_avx512_2) },
	[4] = { dfs_diff_split_4, NULL, AVX512(dfs_diff_split_avx512_4) },
	[8] = { dfs_diff_split_8, NULL, NULL },
};

dfs_split_fn *dfs_diff_split_kernel(enum dfs_cpu cpu, const struct dfs_layout *l)
{
	while (!kernels[l->size][cpu])
		cpu--;
	return kernels[l->size][cpu];
}

bool dfs_split_alloc(struct dfs_split *split, const struct dfs_layout *l, size_t n,
		     struct dfs_scratch *scratch)
{
	size_t room = (n + 2 * DFS_SPLIT_PAD - 1) / DFS_SPLIT_PAD * DFS_SPLIT_PAD;
	size_t folded = l->size == 8 ? 8 : 4;
	uint8_t *p = dfs_scratch_get(scratch, DFS_SLOT_SPLIT, room * (folded + 2));

	if (!p)
		return false;
	split->u64 = (void *)p;
	split->u32 = (void *)p;
	split->cell = (void *)(p + room * folded);
	return true;
}

bool dfs_rows_usable(struct dfs_shape shape, const struct dfs_layout *l)
{
	/* rows worth a class are long enough to pay for it and short enough to look at whole */
	return l->exponent && l->width >= 16 && l->size <= 4 && shape.cols >= 64 &&
	       shape.cols <= 16384 && shape.rows >= 64;
}

#define SUMS 16

/* The mean difference is the sum of |steps| * 2^bin, as floats: products are exact. */
DFS_INLINE void add_steps(float sums[SUMS], const uint32_t *u, const uint16_t *cell, size_t n,
			  uint32_t inverse)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t bits = ((cell[i] * inverse >> 20) + 64) << 23;
		float octave;

		memcpy(&octave, &bits, sizeof(octave));
		sums[i] += (float)(int32_t)((u[i] >> 1) + (u[i] & 1)) * octave;
	}
}

/*
 * Sixteen sums that are added up in the end, so that every compiler and
 * vector width adds in the same order: chunks come out the same everywhere.
 */
unsigned dfs_row_scale(const struct dfs_layout *l, const struct dfs_split *split, size_t n)
{
	/* cell / dfs_tokens(), which is exact as cells * tokens < 2^20 */
	uint32_t inverse = ((1u << 20) + dfs_tokens(l) - 1) / dfs_tokens(l);
	float sums[SUMS] = { 0 };
	float mean;
	uint32_t bits;
	size_t i = 0;
	int half_octaves;

	for (; n - i >= SUMS; i += SUMS)
		add_steps(sums, split->u32 + i, split->cell + i, SUMS, inverse);
	add_steps(sums, split->u32 + i, split->cell + i, n - i, inverse);
	for (unsigned width = SUMS / 2; width; width /= 2)
		for (unsigned j = 0; j < width; j++)
			sums[j] += sums[j + width];
	if (sums[0] == 0)
		return 0;
	mean = sums[0] / (float)n;
	memcpy(&bits, &mean, sizeof(bits));
	/* 0x3504f3 is the mantissa of the square root of two */
	half_octaves = 2 * (int)(bits >> 23) + ((bits & 0x7fffff) >= 0x3504f3);
	return 1 + half_octaves % (DFS_SCALES - 1);
}
