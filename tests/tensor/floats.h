/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * floats: what the bits of a float mean, by definition and slowly, for tests.
 *
 * Shares nothing with src/tensor: a value is a double made by ldexp(), and the
 * nearest value of a format is found by search among all of them.
 */
#ifndef DFS_TESTS_FLOATS_H
#define DFS_TESTS_FLOATS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "tensor/dtype.h"

struct float_kind {
	enum dfs_dtype dtype;
	int exponent, mantissa, bias;
	bool ieee; /* has infinities, and many NaNs */
};

static const struct float_kind kinds[] = {
	{ DFS_F8_E5M2, 5, 2, 15, true },
	{ DFS_F8_E4M3, 4, 3, 7, false },
	{ DFS_F16, 5, 10, 15, true },
	{ DFS_BF16, 8, 7, 127, true },
	{ DFS_F32, 8, 23, 127, true },
	{ DFS_F64, 11, 52, 1023, true },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static inline int width(const struct float_kind *k)
{
	return 1 + k->exponent + k->mantissa;
}

static inline uint64_t field_ones(int n)
{
	return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

static inline bool code_is_nan(const struct float_kind *k, uint64_t code)
{
	uint64_t m = code & field_ones(k->mantissa);
	uint64_t e = (code >> k->mantissa) & field_ones(k->exponent);

	if (e != field_ones(k->exponent))
		return false;
	return k->ieee ? m != 0 : m == field_ones(k->mantissa);
}

static inline bool code_is_infinite(const struct float_kind *k, uint64_t code)
{
	return k->ieee && (code & field_ones(width(k) - 1)) ==
				  field_ones(k->exponent) << k->mantissa;
}

/* The value of a code that is neither NaN nor infinity; exact. */
static inline double code_value(const struct float_kind *k, uint64_t code)
{
	double m = (double)(code & field_ones(k->mantissa));
	int e = (int)((code >> k->mantissa) & field_ones(k->exponent));
	double v;

	if (e == 0)
		v = ldexp(m, 1 - k->bias - k->mantissa);
	else
		v = ldexp(m + ldexp(1, k->mantissa), e - k->bias - k->mantissa);
	return (code >> (width(k) - 1)) & 1 ? -v : v;
}

/* The largest finite magnitude's code. */
static inline uint64_t code_max(const struct float_kind *k)
{
	uint64_t top = field_ones(k->exponent) << k->mantissa;

	return k->ieee ? top - 1 : top + field_ones(k->mantissa) - 1;
}

/*
 * The code nearest to @v >= 0, ties to the even code. Past the midpoint above
 * the largest finite value there is infinity, or still that value.
 */
static inline uint64_t code_nearest(const struct float_kind *k, double v)
{
	uint64_t low = 0, high = code_max(k), beyond;
	double below, above;

	/* The last code whose value is at most @v. */
	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;

		if (code_value(k, middle) <= v)
			low = middle;
		else
			high = middle - 1;
	}
	below = code_value(k, low);
	if (below == v)
		return low;
	if (low == code_max(k)) {
		if (!k->ieee)
			return low;
		beyond = low + 1;
		above = 2 * below - code_value(k, low - 1);
	} else {
		beyond = low + 1;
		above = code_value(k, beyond);
	}
	if (v == below + (above - below) / 2)
		return low & 1 ? beyond : low;
	return v < below + (above - below) / 2 ? low : beyond;
}

/* A reproducible source of 64 random bits (splitmix64). */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

#endif
