/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_dct_sums: what measuring asks of many values, in doubles: the squares
 * of any F32 are far from their limits. Eight sums side by side, whatever the
 * CPU, so that all levels give the same.
 */
#include "codec/delta_dct.h"

/* Written out, since __builtin_convertvector() takes twice as many instructions here. */
#define WIDE_2(v) { (v)[0], (v)[1] }
#define WIDE_4(v) { (v)[0], (v)[1], (v)[2], (v)[3] }
#define WIDE_8(v) { (v)[0], (v)[1], (v)[2], (v)[3], (v)[4], (v)[5], (v)[6], (v)[7] }

/*
 * Lanes one after the other, each with its sums in registers. @magnitude alone
 * is asked for with an @all that is constant and false.
 */
#define SUMS(level, target, lanes)								\
	typedef double doubles_##level __attribute__((vector_size(8 * (lanes))));		\
	typedef int64_t words_##level __attribute__((vector_size(8 * (lanes))));		\
												\
	struct lanes_##level {									\
		doubles_##level square, sum, magnitude;						\
	};											\
												\
	target static inline void add_##level(const float *v, bool all, struct lanes_##level *to) \
	{											\
		doubles_##level d = WIDE_##lanes(v);						\
												\
		if (all) {									\
			to->square += d * d;							\
			to->sum += d;								\
		}										\
		to->magnitude += (doubles_##level)((words_##level)d & INT64_MAX);		\
	}											\
												\
	target static inline void sums_##level(const float *values, size_t stride, size_t rows, size_t cols, \
					       bool all, struct dfs_dct_sums *ret_sums)		\
	{											\
		size_t whole = cols / 8 * 8;							\
												\
		for (size_t k = 0; k < 8; k += lanes) {						\
			struct lanes_##level to = { { 0 }, { 0 }, { 0 } };			\
												\
			for (size_t i = 0; i < rows; i++) {					\
				const float *row = values + i * stride;				\
				float last[8] = { 0 };						\
												\
				for (size_t at = k; at < whole; at += 8)			\
					add_##level(row + at, all, &to);			\
				if (whole == cols)						\
					continue;						\
				memcpy(last, row + whole, (cols - whole) * sizeof(*last));	\
				add_##level(last + k, all, &to);				\
			}									\
			*(doubles_##level *)(ret_sums->square + k) = to.square;			\
			*(doubles_##level *)(ret_sums->sum + k) = to.sum;			\
			*(doubles_##level *)(ret_sums->magnitude + k) = to.magnitude;		\
		}										\
	}											\
												\
	target static void all_##level(const float *values, size_t stride, size_t rows, size_t cols, \
				       struct dfs_dct_sums *ret_sums)				\
	{											\
		sums_##level(values, stride, rows, cols, true, ret_sums);			\
	}											\
												\
	target static void magnitude_##level(const float *values, size_t stride, size_t rows, size_t cols, \
					     struct dfs_dct_sums *ret_sums)			\
	{											\
		sums_##level(values, stride, rows, cols, false, ret_sums);			\
	}

SUMS(portable, , 2)
SUMS(avx2, DFS_FOR_AVX2, 4)
SUMS(avx512, DFS_FOR_AVX512, 8)

typedef void sums_fn(const float *values, size_t stride, size_t rows, size_t cols, struct dfs_dct_sums *ret_sums);

static sums_fn *const all_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(all);
static sums_fn *const magnitude_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(magnitude);

static double total(const double *eight)
{
	double sum = 0;

	for (unsigned k = 0; k < 8; k++)
		sum += eight[k];
	return sum;
}

struct dfs_dct_sums dfs_dct_sums(enum dfs_cpu cpu, const float *values, size_t stride, size_t rows, size_t cols)
{
	struct dfs_dct_sums sums;

	all_of_level[cpu](values, stride, rows, cols, &sums);
	sums.square[0] = total(sums.square);
	sums.sum[0] = total(sums.sum);
	sums.magnitude[0] = total(sums.magnitude);
	return sums;
}

double dfs_dct_magnitude(enum dfs_cpu cpu, const float *values, size_t stride, size_t rows, size_t cols)
{
	struct dfs_dct_sums sums;

	magnitude_of_level[cpu](values, stride, rows, cols, &sums);
	return total(sums.magnitude);
}
