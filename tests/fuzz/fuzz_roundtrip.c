/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_roundtrip: any bytes as values and as their prediction; what `exact`
 * encodes must decode to the same bytes on every kernel.
 *
 * Input: dtype u8, drop u8, cols u8, has prediction u8, then the values and
 * their prediction, half and half.
 */
#include <stdlib.h>

#include "codec/exact.h"
#include "tensor/convert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define PREFIX 4

static void check(int ok)
{
	if (!ok)
		abort();
}

/* A copy with padding, its dropped bits cleared. */
static uint8_t *values_of(const uint8_t *data, size_t bytes, struct dfs_shape shape)
{
	unsigned size = dfs_dtype_info(shape.dtype)->size;
	uint8_t *values = calloc(1, bytes + DFS_VALUES_PAD);

	check(values != NULL);
	for (size_t at = 0; at < bytes; at += size) {
		uint64_t value = 0;

		memcpy(&value, data + at, size);
		value = le64toh(value) >> shape.drop << shape.drop;
		value = htole64(value);
		memcpy(values + at, &value, size);
	}
	return values;
}

static void decode_everywhere(const struct dfs_block *block, const uint8_t *values, size_t bytes,
			      unsigned id, const uint8_t *payload, size_t payload_len,
			      struct dfs_span table_bytes)
{
	const struct dfs_codec *codec = dfs_codec_find(id, NULL, NULL);
	uint8_t *padded = calloc(1, payload_len + DFS_PAYLOAD_PAD);
	uint8_t *out = calloc(1, bytes + DFS_VALUES_PAD);
	struct dfs_scratch *scratch = dfs_scratch_new();
	struct dfs_table *table = NULL;
	struct dfs_err err;

	check(codec && padded && out && scratch);
	memcpy(padded, payload, payload_len);
	if (codec->table_open)
		check(codec->table_open(block->shape, table_bytes, false, &table, &err) == 0);
	for (int level = 0; level < DFS_CPU_LEVELS; level++) {
		memset(out, 0xaa, bytes);
		dfs_scratch_set_cpu(scratch, level);
		check(codec->decode(block, (struct dfs_span){ padded, payload_len }, table, out,
				    scratch, &err) == 0);
		check(memcmp(out, values, bytes) == 0);
	}
	dfs_table_close(table);
	dfs_scratch_free(scratch);
	free(out);
	free(padded);
}

static void round_trip(const struct dfs_block *block, const uint8_t *values, size_t bytes)
{
	struct dfs_exact_record *record = dfs_exact_record_new(block->shape, block->pred != NULL);
	struct dfs_scratch *scratch = dfs_scratch_new();
	uint8_t *payload = malloc(dfs_exact_bound(block->shape, block->n) + 1);
	struct dfs_exact_tables *tables = NULL;
	struct dfs_err err;
	unsigned codec;
	size_t len;

	check(record && scratch && payload);
	check(dfs_exact_measure(record, block, values, scratch) == 0);
	check(dfs_exact_prepare(record, &tables, &err) == 0);
	check(dfs_exact_encode(block, values, tables, payload, &len, &codec, scratch) == 0);
	check(len <= bytes);
	decode_everywhere(block, values, bytes, codec, payload, len, dfs_exact_table_bytes(tables, codec));
	dfs_exact_tables_free(tables);
	dfs_exact_record_free(record);
	dfs_scratch_free(scratch);
	free(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct dfs_dtype_info *info;
	struct dfs_block block = { 0 };
	uint8_t *values, *pred;
	size_t bytes;

	if (len < PREFIX)
		return 0;
	block.shape.dtype = data[0] % DFS_DTYPES;
	info = dfs_dtype_info(block.shape.dtype);
	block.shape.drop = info->mantissa > 1 ? data[1] % info->mantissa : 0;
	block.n = (len - PREFIX) / 2 / info->size;
	block.shape.cols = data[2];
	block.shape.rows = data[2] ? block.n / data[2] + 1 : 0;
	bytes = block.n * info->size;
	values = values_of(data + PREFIX, bytes, block.shape);
	pred = values_of(data + PREFIX + bytes, bytes, block.shape);
	block.pred = data[3] & 1 ? pred : NULL;
	round_trip(&block, values, bytes);
	free(pred);
	free(values);
	return 0;
}
