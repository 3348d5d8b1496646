/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ultradelta_grid: from differences to points of an even grid, and from a
 * histogram over one to levels.
 */
#include <math.h>

#include "codec/ultradelta.h"

/* Values in the inner loops, whose fixed length lets compilers make vectors of them. */
#define LANES 16

/* Added to a number of up to 2^22, this leaves the nearest integer in the low bits, ties to even. */
#define ROUND 0x1.8p23f

static inline uint16_t point(const struct dfs_ultra_grid *grid, float value)
{
	float t = (value - grid->low) / grid->span * grid->steps;
	union { float value; uint32_t bits; } sum;

	t = t > 0 ? t : 0;	/* also if there is one point only, and t no number */
	sum.value = (t < grid->steps ? t : grid->steps) + ROUND;
	return (uint16_t)sum.bits;
}

#define POINTS(level, target)								\
	target static void points_##level(const struct dfs_ultra_grid *grid, const float *values, size_t n, \
					  uint16_t *points)				\
	{										\
		for (; n >= LANES; n -= LANES, values += LANES, points += LANES)	\
			for (size_t i = 0; i < LANES; i++)				\
				points[i] = point(grid, values[i]);			\
		for (size_t i = 0; i < n; i++)						\
			points[i] = point(grid, values[i]);				\
	}

#define RANGE(level, target)								\
	target static void range_##level(const float *values, size_t n, float *min, float *max) \
	{										\
		float low[LANES], high[LANES];						\
											\
		for (size_t i = 0; i < LANES; i++) {					\
			low[i] = *min;							\
			high[i] = *max;							\
		}									\
		for (; n >= LANES; n -= LANES, values += LANES)				\
			for (size_t i = 0; i < LANES; i++) {				\
				low[i] = values[i] < low[i] ? values[i] : low[i];	\
				high[i] = values[i] > high[i] ? values[i] : high[i];	\
			}								\
		for (size_t i = 0; i < n; i++) {					\
			low[i] = values[i] < low[i] ? values[i] : low[i];		\
			high[i] = values[i] > high[i] ? values[i] : high[i];		\
		}									\
		for (size_t i = 0; i < LANES; i++) {					\
			*min = low[i] < *min ? low[i] : *min;				\
			*max = high[i] > *max ? high[i] : *max;				\
		}									\
	}

#define LOOPS(level, target)	\
	POINTS(level, target)	\
	RANGE(level, target)

LOOPS(portable, )
LOOPS(avx2, DFS_FOR_AVX2)
LOOPS(avx512, DFS_FOR_AVX512)

typedef void points_fn(const struct dfs_ultra_grid *grid, const float *values, size_t n, uint16_t *points);
typedef void range_fn(const float *values, size_t n, float *min, float *max);

static points_fn *const points_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(points);
static range_fn *const range_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(range);

void dfs_ultra_points(enum dfs_cpu cpu, const struct dfs_ultra_grid *grid, const float *values, size_t n,
		      uint16_t *points)
{
	points_of_level[cpu](grid, values, n, points);
}

void dfs_ultra_range(enum dfs_cpu cpu, const float *values, size_t n, float *min, float *max)
{
	range_of_level[cpu](values, n, min, max);
}

/* --- a codebook */

/* More rounds change nothing that could be measured on Gaussian, Laplacian and t-distributed values. */
#define LLOYD_ROUNDS 100

/* Levels as dense as the cube root of the values: what the best ones tend to (P. Panter, W. Dite, 1951). */
static void first_levels(const uint64_t *counts, const double *sums, unsigned n, double *levels)
{
	double all = 0, before = 0;
	unsigned k = 0;

	for (unsigned i = 0; i < DFS_ULTRA_BINS; i++)
		all += cbrt((double)counts[i]);
	for (unsigned i = 0; i < DFS_ULTRA_BINS; i++) {
		before += cbrt((double)counts[i]);
		for (; counts[i] && k < n && before >= all * (k + 0.5) / n; k++)
			levels[k] = sums[i] / (double)counts[i];
	}
	for (; k && k < n; k++)
		levels[k] = levels[k - 1];
}

/* Each point to the nearest level; of equal ones the last. Levels rise, and so do points. */
static void assign(const uint64_t *counts, const double *sums, unsigned n, const double *levels, uint8_t *map)
{
	unsigned k = 0;

	for (unsigned i = 0; i < DFS_ULTRA_BINS; i++) {
		double mean = counts[i] ? sums[i] / (double)counts[i] : 0;

		while (counts[i] && k + 1 < n && fabs(levels[k + 1] - mean) <= fabs(levels[k] - mean))
			k++;
		map[i] = (uint8_t)k;
	}
}

/* Each level to the mean of its values; one that has none, to that of the one below, so that they rise. */
static void centre(const uint64_t *counts, const double *sums, unsigned n, const uint8_t *map, double *levels)
{
	double of[DFS_ULTRA_LEVELS_MAX] = { 0 }, sum[DFS_ULTRA_LEVELS_MAX] = { 0 };
	unsigned first = 0;

	for (unsigned i = 0; i < DFS_ULTRA_BINS; i++) {
		of[map[i]] += (double)counts[i];
		sum[map[i]] += sums[i];
	}
	while (of[first] == 0 && first + 1 < n)
		first++;
	for (unsigned k = 0; k < n; k++) {
		unsigned from = k < first ? first : k;

		levels[k] = of[from] > 0 ? sum[from] / of[from] : levels[k - 1];
	}
}

void dfs_ultra_codebook(const uint64_t *counts, const double *sums, unsigned n, double *levels, uint8_t *map)
{
	first_levels(counts, sums, n, levels);
	for (unsigned round = 0; round < LLOYD_ROUNDS; round++) {
		assign(counts, sums, n, levels, map);
		centre(counts, sums, n, map, levels);
	}
	assign(counts, sums, n, levels, map);
}
