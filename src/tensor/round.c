/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * round: values whose low bits are all zero.
 *
 * A BF16 model saved as F32 has 16 low bits of zero in every value. Whoever
 * predicts such values rounds there, and whoever codes them leaves these bits
 * out.
 */
#include <string.h>

#include "tensor/convert.h"
#include "util/bytes.h"

/* What dfs_round_low() needs to know of a dtype, at the width of its values. */
struct rounding {
	unsigned drop;
	uint64_t top;		/* magnitude of infinity: all ones in the exponent */
	uint64_t magnitude;	/* mask */
	uint64_t quiet;		/* top bit of the mantissa */
};

/* Values in the inner loop, whose fixed length lets compilers make vectors of it at -O2. */
#define BLOCK 64

/*
 * DEFINE_ROUND() - roundN_all() for values of N bits, of any alignment
 *
 * Adding just under half of the dropped unit, and one more if the kept part is
 * odd, carries exactly where nearest-even says so; a carry out of the mantissa
 * is the next exponent.
 */
#define DEFINE_ROUND(bits)							\
	static inline uint##bits##_t round##bits(const struct rounding *r, uint##bits##_t v) \
	{									\
		uint##bits##_t top = (uint##bits##_t)r->top;			\
		uint##bits##_t magnitude = v & (uint##bits##_t)r->magnitude;	\
		uint##bits##_t unit = (uint##bits##_t)(1ull << r->drop);	\
		uint##bits##_t low = (uint##bits##_t)(unit - 1);		\
		uint##bits##_t cut = v & (uint##bits##_t)~low;			\
		uint##bits##_t odd = v & unit ? 1 : 0;				\
		uint##bits##_t near = (uint##bits##_t)(v + (low >> 1) + odd) & (uint##bits##_t)~low; \
		bool lost = magnitude > top && (cut & (uint##bits##_t)r->magnitude) == top; \
										\
		cut |= lost ? (uint##bits##_t)r->quiet : 0;			\
		return magnitude >= top ? cut : near;				\
	}									\
	static void round##bits##_all(struct rounding r, void *values, size_t n) \
	{									\
		dfs_any##bits *v = values;						\
										\
		for (; n >= BLOCK; n -= BLOCK, v += BLOCK)			\
			for (size_t i = 0; i < BLOCK; i++)			\
				v[i] = HTOLE##bits(round##bits(&r, LETOH##bits(v[i]))); \
		for (size_t i = 0; i < n; i++)					\
			v[i] = HTOLE##bits(round##bits(&r, LETOH##bits(v[i]))); \
	}

#define HTOLE8(v) (v)
#define LETOH8(v) (v)
#define HTOLE16 htole16
#define LETOH16 le16toh
#define HTOLE32 htole32
#define LETOH32 le32toh
#define HTOLE64 htole64
#define LETOH64 le64toh

DEFINE_ROUND(8)
DEFINE_ROUND(16)
DEFINE_ROUND(32)
DEFINE_ROUND(64)

static void (*const round_of_size[])(struct rounding r, void *values, size_t n) = {
	[1] = round8_all,
	[2] = round16_all,
	[4] = round32_all,
	[8] = round64_all,
};

void dfs_round_low(enum dfs_dtype dtype, unsigned drop, void *values, size_t n)
{
	const struct dfs_dtype_info *info = dfs_dtype_info(dtype);
	struct rounding r;

	if (drop == 0 || drop >= info->mantissa || n == 0)
		return;
	r.drop = drop;
	r.magnitude = (1ull << (info->exponent + info->mantissa)) - 1;
	r.top = r.magnitude - ((1ull << info->mantissa) - 1);
	r.quiet = 1ull << (info->mantissa - 1);
	round_of_size[info->size](r, values, n);
}

/* All values or'ed together, in the low bits; as words, whatever their size. */
static uint64_t any_bits(const uint8_t *p, size_t len, unsigned size)
{
	uint64_t any = 0, rest = 0;
	size_t i = 0;

	for (; i + 8 <= len; i += 8) {
		uint64_t word;

		memcpy(&word, p + i, sizeof(word));
		any |= word;
	}
	memcpy(&rest, p + i, len - i);
	any = le64toh(any | rest);
	for (unsigned half = 4; half >= size; half /= 2)
		any |= any >> (half * 8);
	return any;
}

unsigned dfs_common_low_zeros(enum dfs_dtype dtype, const void *values, size_t n)
{
	const struct dfs_dtype_info *info = dfs_dtype_info(dtype);
	uint64_t any;

	if (info->mantissa == 0)
		return 0;
	any = any_bits(values, n * info->size, info->size) | 1ull << (info->mantissa - 1);
	return (unsigned)__builtin_ctzll(any);
}
