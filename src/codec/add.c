/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * add: an F32 holds the sum first, and where that is not half way between two
 * values of the dtype, rounding it once more is rounding the sum itself. The
 * few others are summed again, rounded to odd.
 */
#include "codec/add.h"

#include <string.h>

#include "tensor/convert_fast.h"
#include "util/bytes.h"

/* Values in the inner loops, whose fixed length lets compilers make vectors of them at -O2. */
#define LANES 16
#define WIDE 64

bool dfs_add_takes(unsigned dtype)
{
	return dtype == DFS_BF16 || dtype == DFS_F16 || dtype == DFS_F32;
}

/* Bits of a float, and back. */
union word {
	float value;
	uint32_t bits;
};

static inline uint32_t keep_special(uint32_t pred, uint32_t sum)
{
	return (pred & 0x7f800000) == 0x7f800000 ? pred : sum;
}

static inline uint32_t add_even(uint32_t pred, float delta)
{
	union word a = { .bits = pred }, sum = { .value = a.value + delta };

	return keep_special(pred, sum.bits);
}

/* Of the two floats around a sum that is none, the one whose mantissa is odd. A sum too large for a float stays infinite. */
static inline uint32_t add_odd(uint32_t pred, float delta)
{
	union word a = { .bits = pred }, sum = { .value = a.value + delta }, lost;
	float part = sum.value - a.value;
	uint32_t away, even, finite = (uint32_t)((sum.bits & 0x7f800000) != 0x7f800000);

	lost.value = (a.value - (sum.value - part)) + (delta - part);
	away = (lost.bits ^ sum.bits) >> 31;	/* 1: the sum lies nearer to zero */
	even = ~sum.bits & finite & (uint32_t)(lost.value != 0);
	return keep_special(pred, sum.bits + even - 2 * (even & away));
}

static void f32_add(const dfs_any32 *pred, const float *delta, dfs_any32 *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = htole32(add_even(le32toh(pred[i]), delta[i]));
}

/* By way of dfs_convert_fast(): what is left over, and what the loops below do not do. */
static void slow(unsigned dtype, const dfs_any16 *pred, const float *delta, dfs_any16 *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t sum;

		dfs_convert_fast(dtype, DFS_F32, DFS_CPU_PORTABLE)(&pred[i], &sum, 1);
		sum = htole32(add_odd(le32toh(sum), delta[i]));
		dfs_convert_fast(DFS_F32, dtype, DFS_CPU_PORTABLE)(&sum, &out[i], 1);
	}
}

/* Was something lost? From the larger of the two a sum is subtracted without error. */
static inline uint32_t is_rounded(float a, float b, float sum)
{
	return (sum - a != b) | (sum - b != a);
}

/*
 * One sum. Return: the value, with bit 16 set if it is not sure: the F32 is
 * half way between two values, and (if @exact is asked) not the sum. Infinity
 * and NaN of the prediction are kept; a sum is never a NaN.
 */
static inline uint32_t bf16_sum(uint32_t pred, float delta, bool exact)
{
	union word a = { .bits = pred << 16 }, sum = { .value = a.value + delta };
	uint32_t rounded = (sum.bits + 0x7fff + (sum.bits >> 16 & 1)) >> 16;
	uint32_t half = (sum.bits & 0xffff) == 0x8000;

	half = exact ? half & is_rounded(a.value, delta, sum.value) : half;
	return ((pred & 0x7f80) == 0x7f80 ? pred : rounded) | half << 16;
}

/* @a where @condition is 1, @b where it is 0; compilers make no branch of it. */
static inline uint32_t choose(uint32_t condition, uint32_t a, uint32_t b)
{
	return b ^ ((a ^ b) & -condition);
}

/* The same. Below 2^-14 values are multiples of 2^-24, as are F32 between 0.5 and 1. */
static inline uint32_t f16_sum(uint32_t pred, float delta, bool exact)
{
	uint32_t size = (pred & 0x7fff) << 13, small, rounded, unsure;
	union word sub = { .bits = size + (113u << 23) }, a, sum, half;
	float lost;

	sub.value -= 0x1p-14f;
	a.bits = choose((pred & 0x7c00) == 0, sub.bits, size + (112u << 23)) | (pred & 0x8000) << 16;
	sum.value = a.value + delta;
	size = sum.bits & 0x7fffffff;
	small = (int32_t)size < 113 << 23;
	half.bits = choose(small, size, 0);
	lost = half.value;
	half.value += 0.5f;
	lost -= half.value - 0.5f;
	rounded = (size - (112u << 23) + 0xfff + (size >> 13 & 1)) >> 13;
	rounded = choose((int32_t)rounded < 0x7c00, rounded, 0x7c00);
	rounded = choose(small, half.bits - 0x3f000000, rounded) | (sum.bits >> 16 & 0x8000);
	unsure = choose(small, (lost == 0x1p-25f) | (lost == -0x1p-25f), (sum.bits & 0x1fff) == 0x1000);
	unsure = exact ? unsure & is_rounded(a.value, delta, sum.value) : unsure;
	return choose((pred & 0x7c00) == 0x7c00, pred, rounded) | unsure << 16;
}

/*
 * Few are half way, so that whether they are so exactly is asked only where
 * there are some. WIDE at a time, as long as there are so many: asking whether
 * any is takes longer than a sum.
 */
#define SHORT_LOOP(name, dtype, level, target)							\
	target static inline __attribute__((always_inline)) void name##_some_##level(		\
		const dfs_any16 *pred, const float *delta, dfs_any16 *out, size_t n)			\
	{											\
		uint16_t values[WIDE];								\
		uint32_t unsure = 0, half = 0;							\
												\
		for (size_t i = 0; i < n; i++) {						\
			uint32_t value = name##_sum(le16toh(pred[i]), delta[i], false);		\
												\
			values[i] = htole16((uint16_t)value);					\
			half |= value;								\
		}										\
		if (half >> 16)									\
			for (size_t i = 0; i < n; i++)						\
				unsure |= name##_sum(le16toh(pred[i]), delta[i], true);		\
		if (unsure >> 16)								\
			slow(dtype, pred, delta, out, n);					\
		else										\
			memcpy(out, values, n * sizeof(*values));				\
	}											\
												\
	target static void name##_add_##level(const dfs_any16 *pred, const float *delta, dfs_any16 *out, size_t n) \
	{											\
		for (; n >= WIDE; n -= WIDE, pred += WIDE, out += WIDE, delta += WIDE)		\
			name##_some_##level(pred, delta, out, WIDE);				\
		for (; n >= LANES; n -= LANES, pred += LANES, out += LANES, delta += LANES)	\
			name##_some_##level(pred, delta, out, LANES);				\
		slow(dtype, pred, delta, out, n);						\
	}

#define F32_LOOP(level, target)									\
	target static void f32_add_##level(const dfs_any32 *pred, const float *delta, dfs_any32 *out, size_t n) \
	{											\
		for (; n >= LANES; n -= LANES, pred += LANES, out += LANES, delta += LANES) {	\
			uint32_t values[LANES];							\
												\
			for (size_t i = 0; i < LANES; i++)					\
				values[i] = htole32(add_even(le32toh(pred[i]), delta[i]));	\
			memcpy(out, values, sizeof(values));					\
		}										\
		f32_add(pred, delta, out, n);							\
	}

#define LOOPS(level, target)				\
	SHORT_LOOP(bf16, DFS_BF16, level, target)	\
	SHORT_LOOP(f16, DFS_F16, level, target)		\
	F32_LOOP(level, target)

LOOPS(portable, )
LOOPS(avx2, DFS_FOR_AVX2)
LOOPS(avx512, DFS_FOR_AVX512)

typedef void short_fn(const dfs_any16 *pred, const float *delta, dfs_any16 *out, size_t n);
typedef void f32_fn(const dfs_any32 *pred, const float *delta, dfs_any32 *out, size_t n);

static short_fn *const bf16_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(bf16_add);
static short_fn *const f16_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(f16_add);
static f32_fn *const f32_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(f32_add);

void dfs_add(enum dfs_cpu cpu, unsigned dtype, const void *pred, const float *delta, void *out, size_t n)
{
	if (dtype == DFS_F32)
		f32_of_level[cpu](pred, delta, out, n);
	else
		(dtype == DFS_BF16 ? bf16_of_level : f16_of_level)[cpu](pred, delta, out, n);
}

void dfs_add_one(unsigned dtype, void *values, size_t i, float delta)
{
	uint8_t *at = (uint8_t *)values + i * (dtype == DFS_F32 ? 4 : 2);

	dfs_add(DFS_CPU_PORTABLE, dtype, at, &delta, at, 1);
}
