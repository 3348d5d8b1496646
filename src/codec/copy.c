/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * copy: the prediction is right, so there is nothing to write.
 *
 * Payload, deltafs-format(5) "copy payload": empty.
 */
#include <errno.h>

#include "codec/internal.h"

static bool copy_accepts(struct dfs_shape shape)
{
	return dfs_dtype_info(shape.dtype) != NULL;
}

static size_t copy_bound(struct dfs_shape shape, size_t n)
{
	(void)shape;
	(void)n;
	return 0;
}

static size_t bytes_of(const struct dfs_block *block)
{
	return block->n * dfs_dtype_info(block->shape.dtype)->size;
}

static int copy_encode(const struct dfs_block *block, const void *data,
		       const struct dfs_table *table, uint8_t *payload, size_t *ret_len,
		       struct dfs_scratch *scratch)
{
	(void)table;
	(void)payload;
	(void)scratch;
	if (!block->pred || memcmp(block->pred, data, bytes_of(block)) != 0)
		return -ERANGE;
	*ret_len = 0;
	return 0;
}

static int copy_decode(const struct dfs_block *block, struct dfs_span payload,
		       const struct dfs_table *table, void *out, struct dfs_scratch *scratch,
		       struct dfs_err *err)
{
	(void)table;
	(void)scratch;
	if (!block->pred)
		return dfs_fail(err, EUCLEAN, "copy: a segment without prediction");
	if (payload.len)
		return dfs_fail(err, EUCLEAN, "copy: %zu payload bytes, not 0", payload.len);
	if (out != block->pred)
		memcpy(out, block->pred, bytes_of(block));
	return 0;
}

const struct dfs_codec dfs_codec_copy = {
	.name = "copy",
	.exact = true,
	.needs_prediction = true,
	.accepts = copy_accepts,
	.bound = copy_bound,
	.encode = copy_encode,
	.decode = copy_decode,
};
