/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * add: a prediction and a difference make a value, rounded once.
 *
 * The sum of a finite prediction and a difference, as real numbers, goes to
 * the nearest value of the dtype, ties to even; what is larger than the largest
 * one becomes infinity. A sum of zero is positive, unless both are negative
 * zeros. A prediction that is not finite is the result itself.
 * deltafs-format(5), "adding a difference".
 *
 * A sum that an F32 does not hold may be rounded twice, and wrongly, where the
 * F32 is half way between two values of the dtype. There the sum is rounded to
 * odd first instead of even: F32 has more than two bits more than F16 and BF16,
 * so that rounding that to nearest is rounding the sum itself. (S. Boldo, G.
 * Melquiond: Emulation of FMA and correctly rounded sums: proved algorithms
 * using rounding to odd. IEEE Trans. Computers 57(4), 2008.) What the sum lost
 * is found without error by TwoSum (D. Knuth, TAOCP 2, 4.2.2).
 */
#ifndef DFS_CODEC_ADD_H
#define DFS_CODEC_ADD_H

#include <stdbool.h>
#include <stddef.h>

#include "codec/codec.h"

/* dfs_add_takes() - BF16, F16, F32 */
bool dfs_add_takes(unsigned dtype);

/**
 * dfs_add() - out[i] = pred[i] + delta[i], for n values
 * @dtype: of @pred and @out: one that dfs_add_takes()
 * @pred, @out: any alignment; may be the same
 * @delta: below 2^127 in magnitude, else what a sum lost could not be told
 * @cpu: kernels to use; all give the same bits
 */
void dfs_add(enum dfs_cpu cpu, unsigned dtype, const void *pred, const float *delta, void *out, size_t n);

/**
 * dfs_add_signs() - the same for BF16 and differences of one size
 * @bits: bit i % 8 of byte i / 8 is 1 where @size is taken away; what is behind the last one does not count
 * @size: not negative
 */
void dfs_add_signs(enum dfs_cpu cpu, const void *pred, const uint8_t *bits, float size, void *out, size_t n);

/* dfs_add_one() - the same for value @i of an array, in place */
void dfs_add_one(unsigned dtype, void *values, size_t i, float delta);

#endif
