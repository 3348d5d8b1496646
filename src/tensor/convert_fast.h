/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * convert_fast: loops for the pairs of dtypes that decoding meets.
 *
 * The same results as dfs_float_convert() for every input; tests compare all
 * 65,536 values of the 16-bit formats and, around every rounding, F32.
 */
#ifndef DFS_TENSOR_CONVERT_FAST_H
#define DFS_TENSOR_CONVERT_FAST_H

#include <stddef.h>

#include "tensor/dtype.h"
#include "util/cpu.h"

/* @in, @out: little endian, any alignment, no overlap */
typedef void dfs_convert_fn(const void *in, void *out, size_t n);

/* dfs_convert_fast() - NULL if there is none for this pair */
dfs_convert_fn *dfs_convert_fast(enum dfs_dtype from, enum dfs_dtype to, enum dfs_cpu level);

#endif
