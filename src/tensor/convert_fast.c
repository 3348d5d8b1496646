/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * convert_fast: loops for the pairs of dtypes that decoding meets.
 *
 * BF16 is the upper half of F32, and F16 fits F32 exactly, so four functions
 * on the bits of one F32 make all six pairs: going through F32 rounds nothing
 * twice. They have no branches, only selections, and run over blocks of fixed
 * length in local arrays, which compilers turn into vectors at -O2 already.
 */
#include "tensor/convert_fast.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

/* Values worked on at once. Less than two vectors' worth is slow; more only costs the short runs. */
#define BLOCK 64

#define F32_TOP 0x7f800000u
#define F16_TOP 0x7c00u
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
	normal += magnitude >= F16_TOP ? F16_REBIAS : 0;
	return sign | (magnitude < 0x400 ? subnormal : normal);
}

/* The magnitude of F16 below 2^-14: the significand in units of 2^-24. */
static inline uint32_t f16_subnormal(uint32_t magnitude)
{
	uint32_t exponent = magnitude >> 23;
	uint32_t sig = (magnitude & 0x7fffff) | 1u << 23;
	uint32_t shift = exponent > 95 && exponent < 113 ? 126 - exponent : 31; /* 31: rounds to 0 */

	return (sig + (1u << (shift - 1)) - 1 + (sig >> shift & 1)) >> shift;
}

static inline uint32_t f16_from_f32(uint32_t bits)
{
	uint32_t magnitude = bits & ~(1u << 31), sign = bits >> 16 & 0x8000;
	uint32_t normal = (magnitude - F16_REBIAS + 0xfff + (magnitude >> 13 & 1)) >> 13;
	uint32_t payload = magnitude >> 13 & 0x3ff;
	uint32_t top = payload ? payload : 0x200;
	uint32_t result = magnitude < 113u << 23 ? f16_subnormal(magnitude) : normal;

	top = F16_TOP | (magnitude > F32_TOP ? top : 0);
	return sign | (magnitude >= 143u << 23 ? top : result);
}

static inline uint32_t f16_from_bf16(uint32_t bits)
{
	return f16_from_f32(f32_from_bf16(bits));
}

static inline uint32_t bf16_from_f16(uint32_t bits)
{
	return bf16_from_f32(f32_from_f16(bits));
}

#define INLINE static inline __attribute__((always_inline))

/*
 * LOOP() - name_portable() and name_avx2(), which apply name() to n values of
 * @in_bits each. The rest of a run is worked on as a block, too.
 */
#define LOOP(name, in_bits, out_bits)						\
	INLINE void name##_some(const uint8_t *in, uint8_t *out, size_t n)	\
	{									\
		uint##in_bits##_t from[BLOCK] = { 0 };				\
		uint##out_bits##_t to[BLOCK];					\
										\
		memcpy(from, in, n * sizeof(from[0]));				\
		for (size_t i = 0; i < BLOCK; i++)				\
			to[i] = htole##out_bits((uint##out_bits##_t)		\
						name(le##in_bits##toh(from[i]))); \
		memcpy(out, to, n * sizeof(to[0]));				\
	}									\
	INLINE void name##_all(const void *from, void *to, size_t n)		\
	{									\
		const uint8_t *in = from;					\
		uint8_t *out = to;						\
										\
		for (; n >= BLOCK; n -= BLOCK) {				\
			name##_some(in, out, BLOCK);				\
			in += BLOCK * (in_bits / 8);				\
			out += BLOCK * (out_bits / 8);				\
		}								\
		if (n > 0)							\
			name##_some(in, out, n);				\
	}									\
	static void name##_portable(const void *in, void *out, size_t n)	\
	{									\
		name##_all(in, out, n);						\
	}									\
	AVX2 static void name##_avx2(const void *in, void *out, size_t n)	\
	{									\
		name##_all(in, out, n);						\
	}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))
#else
#define AVX2
#endif

LOOP(f32_from_bf16, 16, 32)
LOOP(bf16_from_f32, 32, 16)
LOOP(f32_from_f16, 16, 32)
LOOP(f16_from_f32, 32, 16)
LOOP(f16_from_bf16, 16, 16)
LOOP(bf16_from_f16, 16, 16)

struct loops {
	dfs_convert_fn *portable, *avx2;
};

#define LOOPS(name) { name##_portable, name##_avx2 }

static const struct loops loops[DFS_DTYPES][DFS_DTYPES] = {
	[DFS_BF16][DFS_F32] = LOOPS(f32_from_bf16),
	[DFS_F32][DFS_BF16] = LOOPS(bf16_from_f32),
	[DFS_F16][DFS_F32] = LOOPS(f32_from_f16),
	[DFS_F32][DFS_F16] = LOOPS(f16_from_f32),
	[DFS_BF16][DFS_F16] = LOOPS(f16_from_bf16),
	[DFS_F16][DFS_BF16] = LOOPS(bf16_from_f16),
};

dfs_convert_fn *dfs_convert_fast(enum dfs_dtype from, enum dfs_dtype to, enum dfs_cpu level)
{
	const struct loops *pair = &loops[from][to];

	return level >= DFS_CPU_AVX2 ? pair->avx2 : pair->portable;
}
