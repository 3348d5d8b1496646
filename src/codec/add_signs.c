/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * add_signs: dfs_add() of differences that are all as large, and are never
 * written down.
 *
 * Nearly all predictions are so near to that size that an F32 holds the sum;
 * then rounding it to BF16 is all. Let g be the lowest bit of the size, of which
 * it has 23 at most. A BF16 p is a multiple of 2^-8 of itself or more, so a
 * sum is one of 2^23 multiples, and exact,
 *	of g, if |p| is 2^22 g at most, and
 *	of what p is one of, if that is smaller and |p| is 2^-14 of the size at least.
 */
#include <string.h>

#include "codec/add.h"
#include "util/bytes.h"

/* Values of a word of signs: of a fixed length, which compilers make vectors of. */
#define LANES 32
/* Values at a time: more are more in vain if one is far off, fewer ask more often whether one is. */
#define SOME 512

union word {
	float value;
	uint32_t bits;
};

/* Predictions without their sign, of which sums are exact: from low to low + span. */
struct range {
	uint16_t low, span;
	bool any;
};

static struct range exact_range(float size)
{
	union word of = { .value = size }, unit, low = { .value = size * 0x1p-14f };
	uint32_t lowest = of.bits & -of.bits, high;

	/* the value of its lowest bit: that of the size with the bit less is subtracted without error */
	unit.bits = of.bits & ~lowest;
	unit.value = lowest < 0x800000 ? size - unit.value : size;
	if (size == 0)
		return (struct range){ 0, 0x7f7f, true };
	low.bits += 0xffff;	/* up, to a BF16 */
	unit.value *= 0x1p22f;
	high = unit.bits >> 16 < 0x7f80 ? unit.bits >> 16 : 0x7f7f;
	if (size >= 2 * unit.value || low.bits >> 16 > high)
		return (struct range){ .any = false };
	return (struct range){ (uint16_t)(low.bits >> 16), (uint16_t)(high - (low.bits >> 16)), true };
}

static const uint32_t even_places[LANES / 2] = {
	1u << 0, 1u << 2, 1u << 4, 1u << 6, 1u << 8, 1u << 10, 1u << 12, 1u << 14,
	1u << 16, 1u << 18, 1u << 20, 1u << 22, 1u << 24, 1u << 26, 1u << 28, 1u << 30,
};

static inline float signed_of(float size, uint32_t minus)
{
	union word delta = { .value = size };

	delta.bits ^= minus ? 0x80000000 : 0;
	return delta.value;
}

/* To the nearest BF16, ties to even: in the upper half. */
static inline uint32_t rounded(float sum)
{
	union word of = { .value = sum };

	return of.bits + 0x7fff + (of.bits >> 16 & 1);
}

/* Two values a word: shifted up one is the F32 that it is, and the other with the first cut off. */
#define LOOPS(level, target)									\
	target static inline void word_##level(const dfs_any32 *pred, uint32_t signs, float size, dfs_any32 *out) \
	{											\
		uint32_t values[LANES / 2];							\
												\
		for (uint32_t i = 0; i < LANES / 2; i++) {					\
			uint32_t word = le32toh(pred[i]);					\
			union word low = { .bits = word << 16 }, high = { .bits = word & 0xffff0000 }; \
												\
			low.bits = rounded(low.value + signed_of(size, signs & even_places[i]));	\
			high.bits = rounded(high.value + signed_of(size, signs & even_places[i] << 1)); \
			values[i] = htole32(low.bits >> 16 | (high.bits & 0xffff0000));		\
		}										\
		memcpy(out, values, sizeof(values));						\
	}											\
												\
	target static bool near_##level(const dfs_any16 *pred, struct range range, size_t n)	\
	{											\
		uint16_t far = 0;								\
												\
		for (; n; n -= LANES, pred += LANES)						\
			for (size_t i = 0; i < LANES; i++)					\
				far |= (uint16_t)((le16toh(pred[i]) & 0x7fff) - range.low) > range.span; \
		return range.any && !far;							\
	}											\
												\
	/* @n: of whole words. Return: false: it is for others to do. */			\
	target static bool signs_##level(const dfs_any16 *pred, const uint8_t *bits, float size, struct range range, \
					 dfs_any16 *out, size_t n)					\
	{											\
		if (!near_##level(pred, range, n))						\
			return false;								\
		for (size_t at = 0; at < n; at += LANES)					\
			word_##level((const dfs_any32 *)(pred + at), dfs_get_u32le(bits + at / 8), size, \
				     (dfs_any32 *)(out + at));				\
		return true;									\
	}

LOOPS(portable, )
LOOPS(avx2, DFS_FOR_AVX2)
LOOPS(avx512, DFS_FOR_AVX512)

typedef bool signs_fn(const dfs_any16 *pred, const uint8_t *bits, float size, struct range range, dfs_any16 *out, size_t n);

static signs_fn *const signs_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(signs);

/* By way of dfs_add(), @n up to SOME. */
static void slow(enum dfs_cpu cpu, const dfs_any16 *pred, const uint8_t *bits, float size, dfs_any16 *out, size_t n)
{
	float delta[SOME];

	for (size_t i = 0; i < n; i++)
		delta[i] = signed_of(size, bits[i / 8] & 1u << i % 8);
	dfs_add(cpu, DFS_BF16, pred, delta, out, n);
}

void dfs_add_signs(enum dfs_cpu cpu, const void *pred, const uint8_t *bits, float size, void *out, size_t n)
{
	struct range range = exact_range(size);

	for (size_t at = 0, now; at < n; at += now) {
		const dfs_any16 *from = (const dfs_any16 *)pred + at;
		dfs_any16 *to = (dfs_any16 *)out + at;

		now = n - at < LANES ? n - at : n - at < SOME ? (n - at) / LANES * LANES : SOME;
		if (now < LANES || !signs_of_level[cpu](from, bits + at / 8, size, range, to, now))
			slow(cpu, from, bits + at / 8, size, to, now);
	}
}
