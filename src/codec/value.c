/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "codec/value.h"

bool dfs_layout_init(struct dfs_layout *layout, struct dfs_shape shape)
{
	const struct dfs_dtype_info *info = dfs_dtype_info(shape.dtype);
	unsigned width;

	if (!info || shape.drop + DFS_WIDTH_MIN > 8 * info->size)
		return false;
	if (info->exponent && shape.drop > info->mantissa)
		return false;
	width = 8u * info->size - shape.drop;
	*layout = (struct dfs_layout){
		.mask = UINT64_MAX >> (64 - width),
		.size = info->size,
		.drop = shape.drop,
		.width = width,
	};
	if (info->exponent && 1 + info->exponent + info->mantissa == 8 * info->size) {
		layout->sign = 1ull << (width - 1);
		layout->flip = layout->mask;
		layout->exponent = info->exponent;
		layout->shift = info->mantissa - shape.drop;
	}
	return true;
}
