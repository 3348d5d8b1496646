/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_split: values and predictions, taken apart into what gets counted and coded.
 */
#include "codec/diff.h"

DFS_INLINE unsigned bin_of(int exponent, int low)
{
	int bin = exponent - low;

	bin &= ~(bin >> 31);
	return bin < DFS_BINS ? bin : DFS_BINS - 1;
}

DFS_INLINE void split(const struct dfs_layout *layout, const uint8_t *restrict pred,
		      const uint8_t *restrict data, size_t n, struct dfs_split *out, unsigned size,
		      bool whole)
{
	const struct dfs_layout l = whole ? dfs_whole_layout(size) : *layout;
	unsigned shift = layout->drop + layout->shift;
	uint32_t exponents = (1u << layout->exponent) - 1;
	unsigned low = dfs_bin_low(layout), stride = dfs_tokens(layout);
	uint16_t *restrict cell = out->cell;

	for (size_t i = 0; i < n; i++) {
		uint64_t q = dfs_value_load(pred, i, size);
		uint64_t x = dfs_value_load(data, i, size);
		uint64_t u = size == 8 ? dfs_diff_64(&l, x, q) : dfs_diff_32(&l, x, q);

		cell[i] = bin_of(q >> shift & exponents, low) * stride + dfs_token_of(u);
		if (size == 8)
			out->u64[i] = u;
		else
			out->u32[i] = u;
	}
}

#define SPLIT(size)								\
	void dfs_diff_split_##size(const struct dfs_layout *l, const uint8_t *pred, \
				   const uint8_t *data, size_t n, struct dfs_split *out) \
	{									\
		if (dfs_layout_is_whole(l))					\
			split(l, pred, data, n, out, size, true);		\
		else								\
			split(l, pred, data, n, out, size, false);		\
	}									\
	struct split_needs_a_semicolon

SPLIT(1);
SPLIT(2);
SPLIT(4);
SPLIT(8);

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
