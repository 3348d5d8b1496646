/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bitdelta: the scales that reading (bitdelta.c) and writing (bitdelta_write.c) share.
 *
 * Table, deltafs-format(5) "bitdelta table": u8 scale (0 scalar, 1 row, 2
 * column), u8 k, s8 exponent, u8 zero; then for each of k rounds one F16 for
 * the tensor, each row or each column; a scale is F16 * 2^exponent. The
 * exponent's limits make every scale an F32, and the sum of eight of them
 * smaller than dfs_add() can take.
 */
#ifndef DFS_CODEC_BITDELTA_H
#define DFS_CODEC_BITDELTA_H

#include <math.h>

#include "codec/internal.h"

enum dfs_bitdelta_scale { DFS_BITDELTA_SCALAR, DFS_BITDELTA_ROW, DFS_BITDELTA_COLUMN };

#define DFS_BITDELTA_ROUNDS 8	/* at most */
#define DFS_BITDELTA_HEAD 4	/* bytes of the table before the scales */
#define DFS_BITDELTA_BLOCK 512	/* values that are made at a time: 64 bytes of signs */
#define DFS_BITDELTA_EXPONENT_MIN (-125)
#define DFS_BITDELTA_EXPONENT_MAX 107
#define DFS_BITDELTA_F16_END 0x7c00	/* F16 are below: finite, and not negative */

struct dfs_bitdelta_table {
	struct dfs_table base;
	uint32_t k;
	enum dfs_bitdelta_scale scale;
	uint64_t units;		/* scales a round */
	float scales[];		/* k * units */
};

/* dfs_bitdelta_units() - scales of a round */
static inline uint64_t dfs_bitdelta_units(enum dfs_bitdelta_scale scale, struct dfs_shape shape)
{
	return scale == DFS_BITDELTA_SCALAR ? 1 : scale == DFS_BITDELTA_ROW ? shape.rows : shape.cols;
}

/* dfs_bitdelta_f16() - what an F16 below DFS_BITDELTA_F16_END stands for */
static inline float dfs_bitdelta_f16(uint16_t f16, int exponent)
{
	int field = f16 >> 10;

	return ldexpf((float)((f16 & 0x3ff) | (field ? 0x400 : 0)), (field ? field : 1) - 25 + exponent);
}

/* dfs_bitdelta_fill() - the scales of a round, for @n values of a block from number @at on */
void dfs_bitdelta_fill(const struct dfs_bitdelta_table *t, const struct dfs_block *block, unsigned round, size_t at,
		       size_t n, float *out);

#endif
