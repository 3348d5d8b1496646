/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stored: the bytes as they are.
 *
 * Payload, deltafs-format(5) "stored payload": the chunk's bytes.
 */
#include <errno.h>

#include "codec/internal.h"

static bool stored_accepts(struct dfs_shape shape)
{
	return dfs_dtype_info(shape.dtype) != NULL;
}

static size_t stored_bound(struct dfs_shape shape, size_t n)
{
	return n * dfs_dtype_info(shape.dtype)->size;
}

static int stored_encode(const struct dfs_block *block, const void *data,
			 const struct dfs_table *table, uint8_t *payload, size_t *ret_len,
			 struct dfs_scratch *scratch)
{
	(void)table;
	(void)scratch;
	*ret_len = stored_bound(block->shape, block->n);
	memcpy(payload, data, *ret_len);
	return 0;
}

static int stored_decode(const struct dfs_block *block, struct dfs_span payload,
			 const struct dfs_table *table, void *out, struct dfs_scratch *scratch,
			 struct dfs_err *err)
{
	size_t len = stored_bound(block->shape, block->n);

	(void)table;
	(void)scratch;
	if (payload.len != len)
		return dfs_fail(err, EUCLEAN, "stored: %zu payload bytes, not %zu",
				payload.len, len);
	memcpy(out, payload.data, len);
	return 0;
}

const struct dfs_codec dfs_codec_stored = {
	.name = "stored",
	.exact = true,
	.accepts = stored_accepts,
	.bound = stored_bound,
	.encode = stored_encode,
	.decode = stored_decode,
};
