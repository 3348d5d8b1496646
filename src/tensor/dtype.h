/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dtype: the element types of safetensors, and how each one's bits are read.
 *
 * The numbers are part of the container format (deltafs-format(5), "dtypes")
 * and never change.
 *
 * Source: safetensors/src/tensor.rs, enum Dtype.
 */
#ifndef DFS_TENSOR_DTYPE_H
#define DFS_TENSOR_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dfs_dtype {
	DFS_BYTES = 0, /* no dtype: opaque bytes, one an element */
	DFS_BOOL = 1,
	DFS_F4 = 2,
	DFS_F6_E2M3 = 3,
	DFS_F6_E3M2 = 4,
	DFS_U8 = 5,
	DFS_I8 = 6,
	DFS_F8_E5M2 = 7,
	DFS_F8_E4M3 = 8,
	DFS_F8_E8M0 = 9,
	DFS_F8_E4M3FNUZ = 10,
	DFS_F8_E5M2FNUZ = 11,
	DFS_I16 = 12,
	DFS_U16 = 13,
	DFS_F16 = 14,
	DFS_BF16 = 15,
	DFS_I32 = 16,
	DFS_U32 = 17,
	DFS_F32 = 18,
	DFS_C64 = 19,
	DFS_F64 = 20,
	DFS_I64 = 21,
	DFS_U64 = 22,
	DFS_DTYPES
};

/*
 * How a codec and a predictor read the values. @size is the unit in bytes in
 * which chunks are cut and values are compared: C64 is read as pairs of F32,
 * so its unit is 4 and its layout F32's; F4, F6 and F8_E8M0 have unit 1 and no layout.
 */
struct dfs_dtype_info {
	const char *name;	/* as in a safetensors header */
	uint16_t bits;		/* an element of the shape, for checking extents */
	uint8_t size;		/* bytes a value as read here: 1, 2, 4 or 8 */
	uint8_t exponent;	/* bits of exponent; 0: integer or bytes */
	uint8_t mantissa;	/* bits of mantissa; sign is the top bit of @size when exponent > 0 */
	bool is_float;		/* has a layout: exponent > 0 */
};

/* dfs_dtype_info() - NULL if @dtype is none of the above. */
const struct dfs_dtype_info *dfs_dtype_info(unsigned dtype);

/* dfs_dtype_parse() - from a header's word. Return: the dtype, or -EINVAL. */
int dfs_dtype_parse(const char *name, size_t len);

#endif
