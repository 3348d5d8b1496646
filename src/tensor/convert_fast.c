/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * convert_fast: loops for the pairs of dtypes that decoding meets.
 *
 * BF16 is the upper half of F32, and F16 fits F32 exactly, so a few functions
 * on the bits of one F32 make all pairs: going through F32 rounds nothing
 * twice. They have no branches, only selections, and run over blocks of a
 * fixed length, which compilers turn into vectors at -O2 already.
 */
#include "tensor/convert_fast.h"

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "util/bytes.h"

/* Values in the inner loop. Less than two vectors' worth is slow; the rest of a run goes one by one. */
#define BLOCK 64

#define F32_TOP 0x7f800000u
/* What the exponent of a value that is normal in both F16 and F32 differs by. */
#define F16_REBIAS (112u << 23)

static inline uint32_t f32_from_bf16(uint32_t bits)
{
	return bits << 16;
}

static inline uint32_t bf16_from_f32(uint32_t bits)
{
	uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
	uint32_t nan = bits >> 16;

	nan |= (nan & 0x7f) == 0 ? 0x40 : 0;
	return (bits & ~(1u << 31)) > F32_TOP ? nan : rounded;
}

static inline uint32_t f32_from_f16(uint32_t bits)
{
	uint32_t magnitude = bits & 0x7fff, sign = (bits & 0x8000) << 16;
	uint32_t normal = (magnitude << 13) + F16_REBIAS;
	float count = (float)(int32_t)magnitude; /* exact: a subnormal is this many times 2^-24 */
	uint32_t subnormal;

	memcpy(&subnormal, &count, sizeof(subnormal));
	subnormal -= magnitude ? 24u << 23 : 0;
	normal += magnitude >= 0x7c00 ? F16_REBIAS : 0;
	return sign | (magnitude < 0x400 ? subnormal : normal);
}

/* A format narrower than F32 in exponent and mantissa; always a constant. */
struct narrow {
	uint32_t bias, mantissa;
	uint32_t top;		/* magnitude of infinity, or the largest one that is a number */
	bool has_infinity;
};

static const struct narrow f16 = { 15, 10, 0x7c00, true };
static const struct narrow e5m2 = { 15, 2, 0x7c, true };
static const struct narrow e4m3 = { 7, 3, 0x7e, false };

/* The significand in units of the least subnormal: for what is less than the least normal. */
static inline uint32_t narrow_subnormal(struct narrow to, uint32_t magnitude)
{
	uint32_t sig = (magnitude & 0x7fffff) | 1u << 23;
	uint32_t all = 151 - to.bias - to.mantissa, exponent = magnitude >> 23;
	/* 31 rounds every significand to 0; what is too large for here is not used, but must not shift by less than 1. */
	uint32_t shift = exponent + 31 > all && exponent < all ? all - exponent : 31;

	return (sig + (1u << (shift - 1)) - 1 + (sig >> shift & 1)) >> shift;
}

static inline uint32_t narrow_nan(struct narrow to, uint32_t magnitude)
{
	uint32_t payload = (magnitude & 0x7fffff) >> (23 - to.mantissa);

	if (!to.has_infinity)
		return to.top + 1;
	return to.top | (payload ? payload : 1u << (to.mantissa - 1));
}

static inline uint32_t narrow_from_f32(struct narrow to, uint32_t bits)
{
	uint32_t magnitude = bits & ~(1u << 31), cut = 23 - to.mantissa;
	uint32_t half = (1u << (cut - 1)) - 1 + (magnitude >> cut & 1);
	uint32_t normal = (magnitude - ((127 - to.bias) << 23) + half) >> cut;
	uint32_t result = magnitude < (128 - to.bias) << 23 ? narrow_subnormal(to, magnitude) : normal;

	result = result < to.top ? result : to.top;
	return magnitude > F32_TOP ? narrow_nan(to, magnitude) : result;
}

static inline uint32_t f16_from_f32(uint32_t bits)
{
	return (bits >> 16 & 0x8000) | narrow_from_f32(f16, bits);
}

static inline uint32_t e5m2_from_f32(uint32_t bits)
{
	return (bits >> 24 & 0x80) | narrow_from_f32(e5m2, bits);
}

static inline uint32_t e4m3_from_f32(uint32_t bits)
{
	return (bits >> 24 & 0x80) | narrow_from_f32(e4m3, bits);
}

static inline uint32_t f16_from_bf16(uint32_t bits)
{
	return f16_from_f32(f32_from_bf16(bits));
}

static inline uint32_t bf16_from_f16(uint32_t bits)
{
	return bf16_from_f32(f32_from_f16(bits));
}

static inline uint32_t e5m2_from_bf16(uint32_t bits)
{
	return e5m2_from_f32(f32_from_bf16(bits));
}

static inline uint32_t e4m3_from_bf16(uint32_t bits)
{
	return e4m3_from_f32(f32_from_bf16(bits));
}

static inline uint32_t e5m2_from_f16(uint32_t bits)
{
	return e5m2_from_f32(f32_from_f16(bits));
}

static inline uint32_t e4m3_from_f16(uint32_t bits)
{
	return e4m3_from_f32(f32_from_f16(bits));
}

#define htole8(v) (v)

/* LOOP() - a function that applies name() to n values of @in_bits each, compiled for @target */
#define LOOP(name, in_bits, out_bits, level, target)				\
	target static void name##_##level(const void *restrict in, void *restrict out, size_t n) \
	{									\
		const dfs_any##in_bits *from = in;			\
		dfs_any##out_bits *to = out;				\
										\
		for (; n >= BLOCK; n -= BLOCK, from += BLOCK, to += BLOCK)	\
			for (size_t i = 0; i < BLOCK; i++)			\
				to[i] = htole##out_bits((uint##out_bits##_t)	\
							name(le##in_bits##toh(from[i]))); \
		for (size_t i = 0; i < n; i++)					\
			to[i] = htole##out_bits((uint##out_bits##_t)		\
						name(le##in_bits##toh(from[i]))); \
	}

#define LOOPS(name, in_bits, out_bits)						\
	LOOP(name, in_bits, out_bits, portable, )				\
	LOOP(name, in_bits, out_bits, avx2, DFS_FOR_AVX2)				\
	LOOP(name, in_bits, out_bits, avx512, DFS_FOR_AVX512)

LOOPS(f32_from_bf16, 16, 32)
LOOPS(bf16_from_f32, 32, 16)
LOOPS(f32_from_f16, 16, 32)
LOOPS(f16_from_f32, 32, 16)
LOOPS(f16_from_bf16, 16, 16)
LOOPS(bf16_from_f16, 16, 16)
LOOPS(e5m2_from_f32, 32, 8)
LOOPS(e4m3_from_f32, 32, 8)
LOOPS(e5m2_from_bf16, 16, 8)
LOOPS(e4m3_from_bf16, 16, 8)
LOOPS(e5m2_from_f16, 16, 8)
LOOPS(e4m3_from_f16, 16, 8)

struct loops {
	dfs_convert_fn *of_level[DFS_CPU_LEVELS];
};

#define ROW(name) { DFS_LEVEL_ROW(name) }

static const struct loops loops[DFS_DTYPES][DFS_DTYPES] = {
	[DFS_BF16][DFS_F32] = ROW(f32_from_bf16),
	[DFS_F32][DFS_BF16] = ROW(bf16_from_f32),
	[DFS_F16][DFS_F32] = ROW(f32_from_f16),
	[DFS_F32][DFS_F16] = ROW(f16_from_f32),
	[DFS_BF16][DFS_F16] = ROW(f16_from_bf16),
	[DFS_F16][DFS_BF16] = ROW(bf16_from_f16),
	[DFS_F32][DFS_F8_E5M2] = ROW(e5m2_from_f32),
	[DFS_F32][DFS_F8_E4M3] = ROW(e4m3_from_f32),
	[DFS_BF16][DFS_F8_E5M2] = ROW(e5m2_from_bf16),
	[DFS_BF16][DFS_F8_E4M3] = ROW(e4m3_from_bf16),
	[DFS_F16][DFS_F8_E5M2] = ROW(e5m2_from_f16),
	[DFS_F16][DFS_F8_E4M3] = ROW(e4m3_from_f16),
};

dfs_convert_fn *dfs_convert_fast(enum dfs_dtype from, enum dfs_dtype to, enum dfs_cpu level)
{
	return loops[from][to].of_level[level];
}
