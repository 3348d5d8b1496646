/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dtype: the table of element types.
 *
 * A type without a layout (exponent 0) is compared as integers of its unit.
 * F8_E8M0 is one of them: all eight bits are exponent, there is no sign.
 */
#include "tensor/dtype.h"

#include <errno.h>
#include <string.h>

static const struct dfs_dtype_info dtypes[DFS_DTYPES] = {
	/*			name		bits size exp mant float */
	[DFS_BYTES]		= { "bytes",		8, 1, 0, 0, false },
	[DFS_BOOL]		= { "BOOL",		8, 1, 0, 0, false },
	[DFS_F4]		= { "F4",		4, 1, 0, 0, false },
	[DFS_F6_E2M3]		= { "F6_E2M3",		6, 1, 0, 0, false },
	[DFS_F6_E3M2]		= { "F6_E3M2",		6, 1, 0, 0, false },
	[DFS_U8]		= { "U8",		8, 1, 0, 0, false },
	[DFS_I8]		= { "I8",		8, 1, 0, 0, false },
	[DFS_F8_E5M2]		= { "F8_E5M2",		8, 1, 5, 2, true },
	[DFS_F8_E4M3]		= { "F8_E4M3",		8, 1, 4, 3, true },
	[DFS_F8_E8M0]		= { "F8_E8M0",		8, 1, 0, 0, false },
	[DFS_F8_E4M3FNUZ]	= { "F8_E4M3FNUZ",	8, 1, 4, 3, true },
	[DFS_F8_E5M2FNUZ]	= { "F8_E5M2FNUZ",	8, 1, 5, 2, true },
	[DFS_I16]		= { "I16",		16, 2, 0, 0, false },
	[DFS_U16]		= { "U16",		16, 2, 0, 0, false },
	[DFS_F16]		= { "F16",		16, 2, 5, 10, true },
	[DFS_BF16]		= { "BF16",		16, 2, 8, 7, true },
	[DFS_I32]		= { "I32",		32, 4, 0, 0, false },
	[DFS_U32]		= { "U32",		32, 4, 0, 0, false },
	[DFS_F32]		= { "F32",		32, 4, 8, 23, true },
	[DFS_C64]		= { "C64",		64, 4, 8, 23, true },
	[DFS_F64]		= { "F64",		64, 8, 11, 52, true },
	[DFS_I64]		= { "I64",		64, 8, 0, 0, false },
	[DFS_U64]		= { "U64",		64, 8, 0, 0, false },
};

const struct dfs_dtype_info *dfs_dtype_info(unsigned dtype)
{
	return dtype < DFS_DTYPES ? &dtypes[dtype] : NULL;
}

int dfs_dtype_parse(const char *name, size_t len)
{
	for (int i = DFS_BYTES + 1; i < DFS_DTYPES; i++) {
		if (strlen(dtypes[i].name) == len && memcmp(dtypes[i].name, name, len) == 0)
			return i;
	}
	return -EINVAL;
}
