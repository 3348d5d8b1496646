/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zstd: bytes that are no numbers (headers, text), or numbers that repeat.
 *
 * Payload, deltafs-format(5) "zstd payload": one zstd frame (RFC 8878) whose
 * content is exactly the chunk's bytes.
 */
#include <errno.h>
#include <zstd.h>

#include "codec/internal.h"

#define LEVEL 3		/* beyond it weights gain nothing and headers hardly anything */
#define HEAD 6		/* bytes of a frame that tell its window: magic, descriptor, window */
#define MAGIC 0xfd2fb528u /* libzstd may also read frames from before RFC 8878, which have others */
#define SINGLE_SEGMENT 0x20 /* in the descriptor: no window, the content is one */
#define WINDOW_MAX ((27 - 10) << 3) /* 128 MiB, as frames write it */

static void end_encode(void *object)
{
	ZSTD_freeCCtx(object);
}

static void end_decode(void *object)
{
	ZSTD_freeDCtx(object);
}

static size_t bytes_of(struct dfs_shape shape, size_t n)
{
	return n * dfs_dtype_info(shape.dtype)->size;
}

static bool zstd_accepts(struct dfs_shape shape)
{
	return dfs_dtype_info(shape.dtype) != NULL;
}

static size_t zstd_bound(struct dfs_shape shape, size_t n)
{
	return ZSTD_compressBound(bytes_of(shape, n));
}

static int zstd_encode(const struct dfs_block *block, const void *data,
		       const struct dfs_table *table, uint8_t *payload, size_t *ret_len,
		       struct dfs_scratch *scratch)
{
	void **context = dfs_scratch_object(scratch, DFS_OBJECT_ZSTD_ENCODE, end_encode);
	size_t len;

	(void)table;
	if (!*context)
		*context = ZSTD_createCCtx();
	if (!*context)
		return -ENOMEM;
	len = ZSTD_compressCCtx(*context, payload, zstd_bound(block->shape, block->n), data,
				bytes_of(block->shape, block->n), LEVEL);
	if (ZSTD_isError(len))
		return -ENOMEM; /* all that is left: room and parameters are right */
	*ret_len = len;
	return 0;
}

/* Decoding whole frames, libzstd takes no note of a limit to their window. */
static bool head_is_allowed(struct dfs_span frame)
{
	if (frame.len < HEAD || dfs_get_u32le(frame.data) != MAGIC)
		return false;
	return frame.data[4] & SINGLE_SEGMENT || frame.data[5] <= WINDOW_MAX;
}

static int zstd_decode(const struct dfs_block *block, struct dfs_span payload,
		       const struct dfs_table *table, void *out, struct dfs_scratch *scratch,
		       struct dfs_err *err)
{
	void **context = dfs_scratch_object(scratch, DFS_OBJECT_ZSTD_DECODE, end_decode);
	size_t want = bytes_of(block->shape, block->n);
	size_t frame, len;

	(void)table;
	if (!*context)
		*context = ZSTD_createDCtx();
	if (!*context)
		return dfs_fail(err, ENOMEM, "zstd: out of memory");
	if (!head_is_allowed(payload))
		return dfs_fail(err, EUCLEAN, "zstd: not a frame that the format allows");
	frame = ZSTD_findFrameCompressedSize(payload.data, payload.len);
	if (ZSTD_isError(frame) || frame != payload.len)
		return dfs_fail(err, EUCLEAN, "zstd: not one frame of %zu bytes", payload.len);
	len = ZSTD_decompressDCtx(*context, out, want, payload.data, payload.len);
	if (ZSTD_isError(len))
		return dfs_fail(err, EUCLEAN, "zstd: %s", ZSTD_getErrorName(len));
	if (len != want)
		return dfs_fail(err, EUCLEAN, "zstd: %zu bytes decoded, not %zu", len, want);
	return 0;
}

const struct dfs_codec dfs_codec_zstd = {
	.name = "zstd",
	.exact = true,
	.accepts = zstd_accepts,
	.bound = zstd_bound,
	.encode = zstd_encode,
	.decode = zstd_decode,
};
