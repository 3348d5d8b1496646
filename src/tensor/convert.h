/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * convert: values of one dtype as another, the same bits on every machine.
 *
 * The rule is part of the format (deltafs-format(5), "conversion"): take the
 * value exactly, round once to nearest even in the target; overflow and
 * infinity give infinity, or the largest finite value where the target has no
 * infinity (F8_E4M3); a NaN keeps its sign and the top bits of its payload and
 * is made quiet where the payload would become zero; F8_E4M3 has one NaN of
 * each sign, 0x7f and 0xff, with payload 7. The result depends on no rounding
 * mode. Integers convert to nothing but themselves.
 */
#ifndef DFS_TENSOR_CONVERT_H
#define DFS_TENSOR_CONVERT_H

#include <stdbool.h>
#include <stddef.h>

#include "tensor/dtype.h"

/* dfs_can_convert() - true for equal dtypes and between any two of F8_E5M2, F8_E4M3, F16, BF16, F32, F64. */
bool dfs_can_convert(enum dfs_dtype from, enum dfs_dtype to);

/**
 * dfs_convert() - @n values of @in (little endian, any alignment) to @out
 * @from, @to: a pair that dfs_can_convert(); equal: a copy
 */
void dfs_convert(enum dfs_dtype from, enum dfs_dtype to, const void *in, void *out, size_t n);

/**
 * dfs_round_low() - round @n values in place so that their low @drop bits are zero
 *
 * Nearest even on the magnitude; a carry goes into the exponent; infinity and
 * NaN only lose the bits (a NaN that would become infinity gets its top
 * mantissa bit set). "Infinity and NaN" is, in every dtype, an exponent of all
 * ones. @drop 0 changes nothing; @drop < mantissa bits, else nothing is done.
 */
void dfs_round_low(enum dfs_dtype dtype, unsigned drop, void *values, size_t n);

/**
 * dfs_common_low_zeros() - how many low bits are zero in all @n values
 * Return: at most the mantissa bits - 1; all-zero input gives that maximum; 0
 * for what is no float.
 */
unsigned dfs_common_low_zeros(enum dfs_dtype dtype, const void *values, size_t n);

#endif
