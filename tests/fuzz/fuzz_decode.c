/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_decode: any bytes as shared table and payload of one codec
 * (FUZZ_CODEC), on every kernel: none may touch a byte outside, and all must
 * agree on success and on the bytes.
 *
 * Input: dtype u8, drop u8, cols u8, n u16le, seed of the prediction u8,
 * table length u16le, table, payload.
 */
#include <stdlib.h>

#include "codec/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define PREFIX 8
#define VALUES_MAX 6000 /* vector kernels take chunks from 2048 values on */

struct input {
	struct dfs_block block;
	struct dfs_span table, payload;
	size_t bytes;
};

static int read_input(const uint8_t *data, size_t len, struct input *in)
{
	const struct dfs_dtype_info *info;
	size_t table_len;

	if (len < PREFIX)
		return -1;
	in->block.shape.dtype = data[0] % DFS_DTYPES;
	info = dfs_dtype_info(in->block.shape.dtype);
	in->block.shape.drop = info->mantissa > 1 ? data[1] % info->mantissa : 0;
	in->block.shape.cols = data[2];
	in->block.n = dfs_get_u16le(data + 3) % VALUES_MAX;
	in->block.first = data[5];
	in->block.shape.rows = in->block.shape.cols ?
		(in->block.first + in->block.n + in->block.shape.cols) / in->block.shape.cols : 0;
	in->bytes = in->block.n * info->size;
	table_len = dfs_get_u16le(data + 6) % (len - PREFIX + 1);
	in->table = (struct dfs_span){ data + PREFIX, table_len };
	in->payload = (struct dfs_span){ data + PREFIX + table_len, len - PREFIX - table_len };
	return 0;
}

/* Values whose dropped bits are zero, as the predictor layer guarantees. */
static void fill_prediction(uint8_t *pred, const struct input *in, unsigned seed)
{
	unsigned size = dfs_dtype_info(in->block.shape.dtype)->size;

	for (size_t i = 0; i < in->block.n; i++) {
		uint64_t value = (i + seed) * 0x9e3779b97f4a7c15u >> 8;

		value = value >> in->block.shape.drop << in->block.shape.drop;
		value = htole64(value);
		memcpy(pred + i * size, &value, size);
	}
}

static int decode_at(const struct dfs_codec *codec, enum dfs_cpu level, const struct input *in,
		     const struct dfs_table *table, const uint8_t *payload, uint8_t *out)
{
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct dfs_span span = { payload, in->payload.len };
	struct dfs_err err;
	int ret;

	if (!scratch)
		abort();
	dfs_scratch_set_cpu(scratch, level);
	ret = codec->decode(&in->block, span, table, out, scratch, &err);
	dfs_scratch_free(scratch);
	return ret;
}

static void decode_all(const struct dfs_codec *codec, struct input *in, const struct dfs_table *table,
		       unsigned seed)
{
	uint8_t *payload = calloc(1, in->payload.len + DFS_PAYLOAD_PAD);
	uint8_t *pred = calloc(1, in->bytes + DFS_VALUES_PAD);
	uint8_t *out[DFS_CPU_LEVELS];
	int ret[DFS_CPU_LEVELS];

	if (!payload || !pred)
		abort();
	memcpy(payload, in->payload.data, in->payload.len);
	fill_prediction(pred, in, seed);
	in->block.pred = codec->needs_prediction ? pred : NULL;
	for (int level = 0; level < DFS_CPU_LEVELS; level++) {
		out[level] = calloc(1, in->bytes + DFS_VALUES_PAD);
		if (!out[level])
			abort();
		ret[level] = decode_at(codec, level, in, table, payload, out[level]);
		if (ret[level] != ret[0] || (!ret[0] && memcmp(out[level], out[0], in->bytes)))
			abort();
	}
	for (int level = 0; level < DFS_CPU_LEVELS; level++)
		free(out[level]);
	free(pred);
	free(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct dfs_codec *codec = dfs_codec_find(FUZZ_CODEC, NULL, NULL);
	struct dfs_table *table = NULL;
	struct input in = { 0 };
	struct dfs_err err;

	if (read_input(data, len, &in) < 0 || !codec->accepts(in.block.shape))
		return 0;
	if (codec->table_open &&
	    codec->table_open(in.block.shape, in.table, false, &table, &err) < 0)
		return 0;
	decode_all(codec, &in, table, data[5]);
	dfs_table_close(table);
	return 0;
}
