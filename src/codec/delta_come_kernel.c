/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta_come_kernel: small products of matrices, in one order on every CPU.
 *
 * Each sum begins at zero and takes its products in the order of the columns;
 * neighbouring sums are what a vector holds, so its width changes no bit.
 * Sums of four rows and of two vectors each fit the 16 registers of SSE and
 * AVX, with what is multiplied. AVX-512 has twice as many, and takes four
 * vectors: with two, Zen 4 was slower than with AVX2 (39, 51 and 53 * 10^9
 * products a second).
 */
#include "codec/delta_come.h"

_Static_assert(DFS_COME_ROWS == 4, "EACH_ROW");

#define EACH_ROW(x, v)	x(v, 0) x(v, 1) x(v, 2) x(v, 3)
#define EACH_2(x, i)	x(0, i) x(1, i)
#define EACH_4(x, i)	x(0, i) x(1, i) x(2, i) x(3, i)

#define WIDTH		(sizeof(lanes) / sizeof(float))
#define LOAD(v, i)	lanes b##v = *(const lanes *)(b + v * WIDTH);
#define SUM(v, i)	lanes sum##v##i = { 0 };
#define STEP(v, i)	sum##v##i += a[i] * b##v;
#define KEEP(v, i)	*(lanes *)(out + i * stride + j + v * WIDTH) = sum##v##i;
#define SUMS(n, i)	EACH_##n(SUM, i)
#define STEPS(n, i)	EACH_##n(STEP, i)
#define KEEPS(n, i)	EACH_##n(KEEP, i)

#define KERNELS(level, target, bytes, vectors)							\
	target static void multiply_##level(const float *from, const float *with, size_t rank, float *out, size_t stride) \
	{											\
		typedef float lanes __attribute__((vector_size(bytes), may_alias));		\
												\
		for (size_t j = 0; j < DFS_COME_TILE; j += vectors * WIDTH) {			\
			const float *a = from, *b = with + j;					\
			EACH_ROW(SUMS, vectors)							\
												\
			for (size_t k = 0; k < rank; k++, a += DFS_COME_ROWS, b += DFS_COME_TILE) { \
				EACH_##vectors(LOAD, )						\
				EACH_ROW(STEPS, vectors)					\
			}									\
			EACH_ROW(KEEPS, vectors)						\
		}										\
	}											\
												\
	target static void expand_##level(const int8_t *restrict levels, const float *restrict scales, size_t n, float *restrict out) \
	{											\
		for (; n > 0; n--, levels += DFS_COME_TILE, out += DFS_COME_TILE)		\
			for (size_t j = 0; j < DFS_COME_TILE; j++)				\
				out[j] = (float)levels[j] * scales[j];				\
	}

KERNELS(portable, , 16, 2)
KERNELS(avx2, DFS_FOR_AVX2, 32, 2)
KERNELS(avx512, DFS_FOR_AVX512, 64, 4)

dfs_come_multiply_fn *const dfs_come_multiply[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(multiply);
dfs_come_expand_fn *const dfs_come_expand[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(expand);
