/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff_split: values and predictions, taken apart into what gets counted and coded.
 */
#include "codec/diff.h"

DFS_INLINE void split_run(const struct dfs_layout *layout, const uint8_t *pred,
			  const uint8_t *data, size_t n, struct dfs_split *split, unsigned size)
{
	const struct dfs_layout l = *layout;
	uint64_t exponents = (1ull << l.exponent) - 1;
	unsigned low = dfs_bin_low(&l);

	for (size_t i = 0; i < n; i++) {
		uint64_t q = dfs_value_load(pred, i, size);
		uint64_t x = dfs_value_load(data, i, size);
		uint64_t u = size == 8 ? dfs_diff_64(&l, x, q) : dfs_diff_32(&l, x, q);
		int e = (int)(q >> l.drop >> l.shift & exponents) - (int)low;

		split->bin[i] = e < 0 ? 0 : e < DFS_BINS ? e : DFS_BINS - 1;
		split->token[i] = dfs_token_of(u);
		if (size == 8)
			split->u64[i] = u;
		else
			split->u32[i] = u;
	}
}

void dfs_diff_split_portable(const struct dfs_layout *l, const uint8_t *pred, const uint8_t *data,
			     size_t n, struct dfs_split *split)
{
	switch (l->size) {
	case 1:
		split_run(l, pred, data, n, split, 1);
		break;
	case 2:
		split_run(l, pred, data, n, split, 2);
		break;
	case 4:
		split_run(l, pred, data, n, split, 4);
		break;
	default:
		split_run(l, pred, data, n, split, 8);
	}
}

dfs_split_fn *dfs_diff_split_kernel(enum dfs_cpu cpu)
{
	(void)cpu;
	return dfs_diff_split_portable;
}

bool dfs_split_alloc(struct dfs_split *split, const struct dfs_layout *l, size_t n,
		     struct dfs_scratch *scratch)
{
	size_t room = (n + 63) / 64 * 64;
	uint8_t *p = dfs_scratch_get(scratch, DFS_SLOT_SPLIT, room * (2 + (l->size == 8 ? 8 : 4)));

	if (!p)
		return false;
	split->u64 = (void *)p;
	split->u32 = (void *)p;
	p += room * (l->size == 8 ? 8 : 4);
	split->bin = p;
	split->token = p + room;
	return true;
}

bool dfs_rows_usable(struct dfs_shape shape, const struct dfs_layout *l)
{
	/* rows worth a class are long enough to pay for it and short enough to look at whole */
	return l->exponent && l->width >= 16 && l->size <= 4 && shape.cols >= 64 &&
	       shape.cols <= 16384 && shape.rows >= 64;
}

/*
 * Sixteen sums that are added up in the end, so that every compiler and
 * vector width adds in the same order: chunks come out the same everywhere.
 */
unsigned dfs_row_scale(const struct dfs_layout *l, const struct dfs_split *split, size_t n)
{
	float sums[16] = { 0 };
	float mean;
	uint32_t bits;
	int half_octaves;

	(void)l;
	for (size_t i = 0; i < n; i++) {
		union { uint32_t bits; float f; } octave = { (uint32_t)(split->bin[i] + 64) << 23 };

		sums[i % 16] += (float)(int32_t)((split->u32[i] >> 1) + (split->u32[i] & 1)) * octave.f;
	}
	for (unsigned width = 8; width; width /= 2)
		for (unsigned i = 0; i < width; i++)
			sums[i] += sums[i + width];
	if (sums[0] == 0)
		return 0;
	mean = sums[0] / (float)n;
	memcpy(&bits, &mean, sizeof(bits));
	/* 0x3504f3 is the mantissa of the square root of two */
	half_octaves = 2 * (int)(bits >> 23) + ((bits & 0x7fffff) >= 0x3504f3);
	return 1 + half_octaves % (DFS_SCALES - 1);
}
