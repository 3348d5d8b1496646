/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_dct_sums: what measuring asks of many values, in doubles: the squares
 * of any F32 are far from their limits. Eight sums side by side, whatever the
 * CPU, so that all levels give the same.
 */
#include "codec/delta_dct.h"

#define SUMS(level, target, lanes)								\
	typedef double doubles_##level __attribute__((vector_size(8 * (lanes))));		\
	typedef int64_t words_##level __attribute__((vector_size(8 * (lanes))));		\
	typedef float floats_##level __attribute__((vector_size(4 * (lanes)), aligned(4), may_alias)); \
												\
	target static void add_##level(const float *values, struct dfs_dct_sums *sums)		\
	{											\
		_Pragma("GCC unroll 4")								\
		for (size_t k = 0; k < 8; k += lanes) {						\
			doubles_##level d = __builtin_convertvector(*(const floats_##level *)(values + k), \
								    doubles_##level);		\
												\
			*(doubles_##level *)(sums->square + k) += d * d;			\
			*(doubles_##level *)(sums->sum + k) += d;				\
			*(doubles_##level *)(sums->magnitude + k) +=				\
				(doubles_##level)((words_##level)d & INT64_MAX);		\
		}										\
	}											\
												\
	target static void sums_##level(const float *values, size_t stride, size_t rows, size_t cols, \
					struct dfs_dct_sums *ret_sums)				\
	{											\
		struct dfs_dct_sums sums = { 0 };						\
												\
		for (size_t i = 0; i < rows; i++, values += stride) {				\
			size_t whole = cols / 8 * 8;						\
			float last[8] = { 0 };							\
												\
			for (size_t at = 0; at < whole; at += 8)				\
				add_##level(values + at, &sums);				\
			if (whole == cols)							\
				continue;							\
			memcpy(last, values + whole, (cols - whole) * sizeof(*last));		\
			add_##level(last, &sums);						\
		}										\
		*ret_sums = sums;								\
	}

SUMS(portable, , 2)
SUMS(avx2, DFS_FOR_AVX2, 4)
SUMS(avx512, DFS_FOR_AVX512, 8)

typedef void sums_fn(const float *values, size_t stride, size_t rows, size_t cols, struct dfs_dct_sums *ret_sums);

static sums_fn *const sums_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(sums);

static double all_of(const double *eight)
{
	double sum = 0;

	for (unsigned k = 0; k < 8; k++)
		sum += eight[k];
	return sum;
}

struct dfs_dct_sums dfs_dct_sums(enum dfs_cpu cpu, const float *values, size_t stride, size_t rows, size_t cols)
{
	struct dfs_dct_sums sums;

	sums_of_level[cpu](values, stride, rows, cols, &sums);
	sums.square[0] = all_of(sums.square);
	sums.sum[0] = all_of(sums.sum);
	sums.magnitude[0] = all_of(sums.magnitude);
	return sums;
}
