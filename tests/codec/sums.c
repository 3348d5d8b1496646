/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sums.h"

#include <stddef.h>

#include "tensor/dtype.h"
#include "util/bytes.h"

const struct sum_format sum_formats[SUM_FORMATS] = {
	{ DFS_BF16, 2, 7, 8, 16 },
	{ DFS_F16, 2, 10, 5, 125 },
	{ DFS_F32, 4, 23, 8, 0 },
};
#define F32 (&sum_formats[2])

static uint32_t sign_of(const struct sum_format *f, uint32_t bits)
{
	return bits >> (8 * f->size - 1);
}

bool sum_is_finite(const struct sum_format *f, uint32_t bits)
{
	uint32_t ones = (1u << f->exponent_bits) - 1;

	return (bits >> f->mantissa & ones) != ones;
}

struct sum_wide sum_magnitude(const struct sum_format *f, uint32_t bits)
{
	uint32_t field = bits >> f->mantissa & ((1u << f->exponent_bits) - 1);
	uint64_t number = (bits & ((1u << f->mantissa) - 1)) | (uint64_t)(field != 0) << f->mantissa;
	unsigned place = f->low + (field ? field - 1 : 0);
	struct sum_wide w = { { 0 } };

	number <<= place % 32;
	w.words[place / 32] = (uint32_t)number;
	w.words[place / 32 + 1] = (uint32_t)(number >> 32);
	return w;
}

static int compare(const struct sum_wide *a, const struct sum_wide *b)
{
	for (unsigned i = SUM_WORDS; i-- > 0;)
		if (a->words[i] != b->words[i])
			return a->words[i] < b->words[i] ? -1 : 1;
	return 0;
}

/* a + b, or a - b of a larger a */
static struct sum_wide combine(const struct sum_wide *a, const struct sum_wide *b, bool minus)
{
	struct sum_wide sum;
	int64_t carry = 0;

	for (unsigned i = 0; i < SUM_WORDS; i++) {
		carry += (int64_t)a->words[i] + (minus ? -(int64_t)b->words[i] : (int64_t)b->words[i]);
		sum.words[i] = (uint32_t)carry;
		carry >>= 32;
	}
	return sum;
}

static uint32_t bit(const struct sum_wide *w, unsigned i)
{
	return w->words[i / 32] >> i % 32 & 1;
}

static bool any_below(const struct sum_wide *w, unsigned end)
{
	for (unsigned i = 0; i < end / 32; i++)
		if (w->words[i])
			return true;
	return end % 32 && (w->words[end / 32] & ((1u << end % 32) - 1));
}

/* The number of a format that is nearest, without a sign. */
uint32_t sum_nearest(const struct sum_format *f, const struct sum_wide *w)
{
	uint32_t infinity = ((1u << f->exponent_bits) - 1) << f->mantissa, kept = 0;
	unsigned digits = 32 * SUM_WORDS, last;
	uint64_t bits;

	while (digits > 0 && !bit(w, digits - 1))
		digits--;
	last = digits > f->mantissa + 1 + f->low ? digits - 1 - f->mantissa : f->low;
	for (unsigned i = digits; i-- > last;)
		kept = kept << 1 | bit(w, i);
	if (last > 0 && bit(w, last - 1) && (any_below(w, last - 1) || kept & 1))
		kept++;
	bits = kept + ((uint64_t)(last - f->low) << f->mantissa);
	return bits < infinity ? (uint32_t)bits : infinity;
}

uint32_t sum_expected(const struct sum_format *f, uint32_t pred, uint32_t delta)
{
	struct sum_wide a = sum_magnitude(f, pred), b = sum_magnitude(F32, delta), sum;
	uint32_t sign = sign_of(f, pred), other = sign_of(F32, delta);
	int order = compare(&a, &b);

	if (!sum_is_finite(f, pred))
		return pred;
	if (sign == other) {
		sum = combine(&a, &b, false);
	} else if (order == 0) {
		return 0;
	} else {
		sum = order > 0 ? combine(&a, &b, true) : combine(&b, &a, true);
		sign = order > 0 ? sign : other;
	}
	return sign << (8 * f->size - 1) | sum_nearest(f, &sum);
}

uint32_t sum_value_at(const struct sum_format *f, const uint8_t *values, size_t i)
{
	return f->size == 4 ? dfs_get_u32le(values + 4 * i) : dfs_get_u16le(values + 2 * i);
}

void sum_value_put(const struct sum_format *f, uint8_t *values, size_t i, uint32_t bits)
{
	if (f->size == 4)
		dfs_put_u32le(values + 4 * i, bits);
	else
		dfs_put_u16le(values + 2 * i, (uint16_t)bits);
}
