/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * add: in blocks that stay in the CPU's nearest cache: the prediction as F32,
 * the sum, and that as the dtype.
 */
#include "codec/add.h"

#include <string.h>

#include "tensor/convert_fast.h"
#include "util/bytes.h"

/* Values at a time: 2 KiB of sums. */
#define BLOCK 512
/* Values in the inner loop, whose fixed length lets compilers make vectors of it at -O2. */
#define LANES 16

bool dfs_add_takes(unsigned dtype)
{
	return dtype == DFS_BF16 || dtype == DFS_F16 || dtype == DFS_F32;
}

/* Bits of a float, and back. */
union word {
	float value;
	uint32_t bits;
};

/* All ones, or zero: masks instead of choices, of which compilers would make branches and no vectors. */
static inline uint32_t mask_if(bool yes)
{
	return -(uint32_t)yes;
}

static inline uint32_t keep_special(uint32_t pred, uint32_t sum)
{
	uint32_t special = mask_if((pred & 0x7f800000) == 0x7f800000);

	return (pred & special) | (sum & ~special);
}

static inline uint32_t add_even(uint32_t pred, float delta)
{
	union word a = { .bits = pred }, sum = { .value = a.value + delta };

	return keep_special(pred, sum.bits);
}

/* Of the two floats around a sum that is none, the one whose mantissa is odd. */
static inline uint32_t add_odd(uint32_t pred, float delta)
{
	union word a = { .bits = pred }, sum = { .value = a.value + delta }, lost;
	float part = sum.value - a.value;
	uint32_t away, even;

	lost.value = (a.value - (sum.value - part)) + (delta - part);
	away = (lost.bits ^ sum.bits) >> 31;	/* 1: the sum lies nearer to zero */
	even = ~sum.bits & 1 & mask_if(lost.bits << 1 != 0);
	return keep_special(pred, sum.bits + even - 2 * (even & away));
}

typedef uint32_t __attribute__((aligned(1), may_alias)) any32;

#define LOOP(name, level, target)						\
	target static void name##_##level(const void *pred, const float *delta, void *out, size_t n) \
	{									\
		const any32 *from = pred;					\
		any32 *to = out;						\
										\
		for (; n >= LANES; n -= LANES, from += LANES, to += LANES, delta += LANES) { \
			uint32_t sums[LANES];					\
										\
			for (size_t i = 0; i < LANES; i++)			\
				sums[i] = htole32(name(le32toh(from[i]), delta[i])); \
			memcpy(to, sums, sizeof(sums));				\
		}								\
		for (size_t i = 0; i < n; i++)					\
			to[i] = htole32(name(le32toh(from[i]), delta[i]));	\
	}

#define LOOPS(name)								\
	LOOP(name, portable, )							\
	LOOP(name, avx2, DFS_FOR_AVX2)							\
	LOOP(name, avx512, DFS_FOR_AVX512)

LOOPS(add_even)
LOOPS(add_odd)

typedef void add_fn(const void *pred, const float *delta, void *out, size_t n);

static add_fn *const even_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(add_even);
static add_fn *const odd_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(add_odd);

void dfs_add(enum dfs_cpu cpu, unsigned dtype, const void *pred, const float *delta, void *out, size_t n)
{
	unsigned size = dtype == DFS_F32 ? 4 : 2;
	const uint8_t *from = pred;
	uint32_t sums[BLOCK];
	uint8_t *to = out;

	if (dtype == DFS_F32) {
		even_of_level[cpu](pred, delta, out, n);
		return;
	}
	while (n > 0) {
		size_t now = n < BLOCK ? n : BLOCK;

		dfs_convert_fast(dtype, DFS_F32, cpu)(from, sums, now);
		odd_of_level[cpu](sums, delta, sums, now);
		dfs_convert_fast(DFS_F32, dtype, cpu)(sums, to, now);
		from += now * size;
		to += now * size;
		delta += now;
		n -= now;
	}
}

void dfs_add_one(unsigned dtype, void *values, size_t i, float delta)
{
	uint8_t *at = (uint8_t *)values + i * (dtype == DFS_F32 ? 4 : 2);

	dfs_add(DFS_CPU_PORTABLE, dtype, at, &delta, at, 1);
}
