/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * convert_float: one value from one float format to another, by definition.
 *
 * A value is taken apart into sign, exponent and a 64-bit significand whose
 * top bit is set, so that every format here fits exactly; then it is rounded
 * once into the target. Written to be read, and to fold into short code where
 * both formats are constants.
 */
#ifndef DFS_TENSOR_CONVERT_FLOAT_H
#define DFS_TENSOR_CONVERT_FLOAT_H

#include <stdbool.h>
#include <stdint.h>

/* A binary float: sign, then exponent, then mantissa, in the low bits of an integer. */
struct dfs_float_format {
	unsigned exponent;	/* bits */
	unsigned mantissa;	/* bits */
	bool has_infinity;	/* false: all ones is the only NaN and the rest of the top exponent is finite */
};

static inline uint64_t dfs_low_bits(unsigned n)
{
	return (1ull << n) - 1;
}

static inline int dfs_float_bias(struct dfs_float_format f)
{
	return (int)dfs_low_bits(f.exponent - 1);
}

/* The largest magnitude that is a number, infinity included. */
static inline uint64_t dfs_float_top(struct dfs_float_format f)
{
	uint64_t ones = dfs_low_bits(f.exponent + f.mantissa);

	return f.has_infinity ? ones - dfs_low_bits(f.mantissa) : ones - 1;
}

/* A NaN keeps the top bits of its payload; no payload at all would be infinity. */
static inline uint64_t dfs_float_nan(struct dfs_float_format from, struct dfs_float_format to,
				     uint64_t magnitude)
{
	uint64_t payload = magnitude & dfs_low_bits(from.mantissa);

	if (!to.has_infinity)
		return dfs_low_bits(to.exponent + to.mantissa);
	if (to.mantissa >= from.mantissa)
		payload <<= to.mantissa - from.mantissa;
	else
		payload >>= from.mantissa - to.mantissa;
	if (payload == 0)
		payload = 1ull << (to.mantissa - 1);
	return dfs_float_top(to) | payload;
}

/* @sig / 2^@shift to the nearest integer, ties to even; @shift >= 1. */
static inline uint64_t dfs_round_shift(uint64_t sig, unsigned shift)
{
	uint64_t q, rest, half;

	if (shift > 64)
		return 0;
	if (shift == 64)
		return sig > 1ull << 63;
	q = sig >> shift;
	rest = sig & dfs_low_bits(shift);
	half = 1ull << (shift - 1);
	return q + (rest > half || (rest == half && (q & 1)));
}

/* @sig * 2^(@exponent - 63), the top bit of @sig set, as a magnitude of @to. */
static inline uint64_t dfs_float_pack(struct dfs_float_format to, uint64_t sig, int exponent)
{
	int biased = exponent + dfs_float_bias(to);
	unsigned shift = 63 - to.mantissa;
	uint64_t magnitude;

	/* Below 1 the value is subnormal: no hidden bit, and a coarser unit. */
	if (biased < 1)
		magnitude = dfs_round_shift(sig, shift + (unsigned)(1 - biased));
	else
		magnitude = ((uint64_t)(biased - 1) << to.mantissa) + dfs_round_shift(sig, shift);
	return magnitude < dfs_float_top(to) ? magnitude : dfs_float_top(to);
}

/* @bits of @from as bits of @to: the rule of deltafs-format(5), "conversion". */
static inline uint64_t dfs_float_convert(struct dfs_float_format from, struct dfs_float_format to,
					 uint64_t bits)
{
	uint64_t magnitude = bits & dfs_low_bits(from.exponent + from.mantissa);
	uint64_t sign = bits >> (from.exponent + from.mantissa) & 1;
	uint64_t sig = magnitude & dfs_low_bits(from.mantissa);
	int biased = (int)(magnitude >> from.mantissa);
	unsigned zeros;

	sign <<= to.exponent + to.mantissa;
	if (magnitude > dfs_float_top(from))
		return sign | dfs_float_nan(from, to, magnitude);
	if (from.has_infinity && magnitude == dfs_float_top(from))
		return sign | dfs_float_top(to);
	if (magnitude == 0)
		return sign;
	if (biased > 0)
		sig |= 1ull << from.mantissa;
	else
		biased = 1;
	zeros = (unsigned)__builtin_clzll(sig);
	return sign | dfs_float_pack(to, sig << zeros,
				     biased - dfs_float_bias(from) + 63 - (int)from.mantissa -
					     (int)zeros);
}

#endif
