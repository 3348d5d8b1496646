/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * add: in blocks that stay in the CPU's nearest cache: the prediction as F32,
 * the sum, and that as the dtype.
 */
#include "codec/add.h"

#include <string.h>

#include "codec/value.h"
#include "tensor/convert_fast.h"
#include "util/bytes.h"

/* Values at a time: 2 KiB of sums. */
#define BLOCK 512
bool dfs_add_takes(unsigned dtype)
{
	return dtype == DFS_BF16 || dtype == DFS_F16 || dtype == DFS_F32;
}

/* Of words in memory's byte order, and back. */
#if __BYTE_ORDER == __BIG_ENDIAN
#define SWAPPED(v) ((v) << 24 | ((v) & 0xff00) << 8 | ((v) >> 8 & 0xff00) | (v) >> 24)
#else
#define SWAPPED(v) (v)
#endif

/*
 * Vectors are spelled out, of the width that a level has: compilers see none in
 * plain loops at -O2. add_odd gives, of the two floats around a sum that is
 * none, the one whose mantissa is odd.
 */
#define SUMS(level, target, lanes)								\
	typedef float floats_##level __attribute__((vector_size(4 * (lanes))));			\
	typedef uint32_t words_##level __attribute__((vector_size(4 * (lanes))));		\
	typedef floats_##level any_floats_##level __attribute__((aligned(1), may_alias));	\
	typedef words_##level any_words_##level __attribute__((aligned(1), may_alias));		\
												\
	DFS_INLINE target void keep_special_##level(const words_##level *pred, words_##level *sum) \
	{											\
		words_##level special = (words_##level)((*pred & 0x7f800000) == 0x7f800000);	\
												\
		*sum = (*pred & special) | (*sum & ~special);					\
	}											\
												\
	DFS_INLINE target void even_##level(words_##level *values, const floats_##level *delta)	\
	{											\
		words_##level sum = (words_##level)((floats_##level)*values + *delta);		\
												\
		keep_special_##level(values, &sum);						\
		*values = sum;									\
	}											\
												\
	DFS_INLINE target void odd_##level(words_##level *values, const floats_##level *delta)	\
	{											\
		floats_##level a = (floats_##level)*values, value = a + *delta, part = value - a; \
		words_##level sum = (words_##level)value;					\
		words_##level lost = (words_##level)((a - (value - part)) + (*delta - part));	\
		words_##level away = (lost ^ sum) >> 31;	/* 1: the sum lies nearer to zero */ \
		words_##level even = ~sum & 1 & (words_##level)(lost << 1 != 0);		\
												\
		sum += even - 2 * (even & away);						\
		keep_special_##level(values, &sum);						\
		*values = sum;									\
	}

/* @from to @to, which may be the same. */
#define STEP(name, level, from, delta, to)						\
	do {										\
		words_##level a = *(const any_words_##level *)(from);			\
		floats_##level d = *(const any_floats_##level *)(delta);		\
											\
		a = SWAPPED(a);								\
		name##_##level(&a, &d);							\
		*(any_words_##level *)(to) = SWAPPED(a);				\
	} while (0)

#define LOOP(name, level, target, lanes)							\
	target static void add_##name##_##level(const void *pred, const float *delta, void *out, size_t n) \
	{											\
		const uint8_t *from = pred;							\
		uint8_t *to = out;								\
		uint32_t last[lanes] = { 0 };							\
		float last_delta[lanes] = { 0 };						\
												\
		for (; n >= lanes; n -= lanes, from += 4 * lanes, to += 4 * lanes, delta += lanes) \
			STEP(name, level, from, delta, to);				\
		if (!n)										\
			return;									\
		memcpy(last, from, n * sizeof(*last));						\
		memcpy(last_delta, delta, n * sizeof(*last_delta));				\
		STEP(name, level, last, last_delta, last);				\
		memcpy(to, last, n * sizeof(*last));						\
	}

#define LOOPS(level, target, lanes)		\
	SUMS(level, target, lanes)		\
	LOOP(even, level, target, lanes)	\
	LOOP(odd, level, target, lanes)

LOOPS(portable, , 4)
LOOPS(avx2, DFS_FOR_AVX2, 8)
LOOPS(avx512, DFS_FOR_AVX512, 16)

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
