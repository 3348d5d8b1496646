/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delta: data less its prediction, which each codec that gives up bits asks for
 * two or three times a value, and whether values are finite.
 *
 * Loops over blocks of a fixed length without a branch, which compilers turn
 * into vectors at -O2 already; BF16 is widened on the way. F16 is widened
 * before, as F32 values.
 */
#include <endian.h>
#include <string.h>

#include "codec/lossy.h"
#include "tensor/convert_fast.h"
#include "util/bytes.h"

#define BLOCK 256	/* values */

static inline uint32_t widen_16(uint32_t bits)
{
	return bits << 16;
}

static inline uint32_t widen_32(uint32_t bits)
{
	return bits;
}

static inline float float_of(uint32_t bits)
{
	union { uint32_t bits; float value; } word = { .bits = bits };

	return word.value;
}

/* Return: a block's values are no larger than @limit, the bits of an F32; those of infinities and NaN are larger. */
#define DELTA(bits, level, target)							\
	target static bool delta_##bits##_##level(const void *data, const void *pred, uint32_t limit, \
						  float *restrict delta)		\
	{										\
		const dfs_any##bits *from = data, *less = pred;				\
		uint32_t wrong = 0;							\
											\
		for (size_t i = 0; i < BLOCK; i++) {					\
			uint32_t a = widen_##bits(le##bits##toh(from[i]));		\
			uint32_t b = widen_##bits(le##bits##toh(less[i]));		\
											\
			delta[i] = float_of(a) - float_of(b);				\
			wrong |= (int32_t)(a & INT32_MAX) > (int32_t)limit;		\
			wrong |= (int32_t)(b & INT32_MAX) > (int32_t)limit;		\
		}									\
		return !wrong;								\
	}

#define DELTAS(bits)				\
	DELTA(bits, portable, )			\
	DELTA(bits, avx2, DFS_FOR_AVX2)		\
	DELTA(bits, avx512, DFS_FOR_AVX512)

DELTAS(16)
DELTAS(32)

typedef bool delta_fn(const void *data, const void *pred, uint32_t limit, float *restrict delta);

static delta_fn *const bf16_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(delta_16);
static delta_fn *const f32_of_level[DFS_CPU_LEVELS] = DFS_LEVEL_ROW(delta_32);

/* What a codec makes of values up to this, even if much larger than they were, is well inside what the dtype can hold. */
static uint32_t largest_of(unsigned dtype)
{
	union { float value; uint32_t bits; } word = { .value = dtype == DFS_F16 ? 0x1p11f : 0x1p120f };

	return word.bits;
}

/* What the loops need of a dtype. */
struct way {
	delta_fn *block;
	dfs_convert_fn *widen;	/* F16: before it */
	uint32_t limit;
	unsigned size;		/* of a value */
};

static struct way way_of(unsigned dtype)
{
	enum dfs_cpu cpu = dfs_cpu_best();

	return (struct way){
		.block = (dtype == DFS_BF16 ? bf16_of_level : f32_of_level)[cpu],
		.widen = dtype == DFS_F16 ? dfs_convert_fast(DFS_F16, DFS_F32, cpu) : NULL,
		.limit = largest_of(dtype),
		.size = dtype == DFS_F32 ? 4 : 2,
	};
}

static bool delta_block(const struct way *way, const uint8_t *data, const uint8_t *pred, float *delta)
{
	float wide[2][BLOCK];

	if (!way->widen)
		return way->block(data, pred, way->limit, delta);
	way->widen(data, wide[0], BLOCK);
	way->widen(pred, wide[1], BLOCK);
	return way->block(wide[0], wide[1], way->limit, delta);
}

bool dfs_delta(unsigned dtype, const void *data, const void *pred, float *delta, size_t n)
{
	const struct way way = way_of(dtype);
	const uint8_t *from = data, *less = pred;
	uint8_t last[2][BLOCK * sizeof(float)] = { 0 };
	float room[BLOCK];
	bool all = true;

	for (; n >= BLOCK; n -= BLOCK, delta += BLOCK, from += BLOCK * way.size, less += BLOCK * way.size)
		all &= delta_block(&way, from, less, delta);
	if (!n)
		return all;
	memcpy(last[0], from, n * way.size);
	memcpy(last[1], less, n * way.size);
	all &= delta_block(&way, last[0], last[1], room);
	memcpy(delta, room, n * sizeof(*delta));
	return all;
}

int dfs_lossy_encode(const struct dfs_lossy *lossy, const struct dfs_block *block, const void *data, float *delta,
		     const struct dfs_table *table, struct dfs_span notes, uint8_t *payload, size_t *ret_len,
		     struct dfs_scratch *scratch)
{
	if (!lossy->encodes_notes)
		dfs_delta(block->shape.dtype, data, block->pred, delta, block->n);
	return lossy->encode(block, delta, table, notes, payload, ret_len, scratch);
}

/* Infinity and NaN have all bits of the exponent. */
#define FINITE(bits)								\
	static bool finite_##bits(const uint8_t *values, size_t n, unsigned exponent)	\
	{									\
		uint##bits##_t block[BLOCK] = { 0 };				\
		unsigned wrong = 0;						\
										\
		for (size_t at = 0; at < n; at += BLOCK) {			\
			size_t now = n - at < BLOCK ? n - at : BLOCK;		\
										\
			memcpy(block, values + at * sizeof(*block), now * sizeof(*block)); \
			for (size_t i = 0; i < BLOCK; i++)			\
				wrong |= (le##bits##toh(block[i]) & exponent) == exponent; \
		}								\
		return !wrong;							\
	}

FINITE(16)
FINITE(32)

bool dfs_lossy_finite(unsigned dtype, const void *values, size_t n)
{
	if (dtype == DFS_F32)
		return finite_32(values, n, 0x7f800000);
	return finite_16(values, n, dtype == DFS_F16 ? 0x7c00 : 0x7f80);
}
