/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_container: any bytes as superblock and metadata, hashes made right
 * first, or no input would pass the first check.
 */
#include <stdlib.h>

#include "format/container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Follows every reference that a reader would. */
static void walk(const struct dfs_container *c)
{
	uint64_t at = 0;

	for (uint32_t s = 0; s < c->n_segments; s++) {
		const struct dfs_segment *segment = &c->segments[s];

		if (segment->off != at)
			abort();
		for (uint32_t i = 0; i < segment->n_chunks; i++) {
			uint64_t off, chunk_len;

			dfs_segment_chunk(segment, i, &off, &chunk_len);
			if (off != at || !chunk_len || chunk_len > DFS_CHUNK_MAX)
				abort();
			if (dfs_container_find(c, off) != s || dfs_segment_chunk_at(segment, off) != i)
				abort();
			if (c->chunks[segment->first_chunk + i].off > c->sb.meta_off)
				abort();
			at += chunk_len;
		}
		if (at != segment->off + segment->len)
			abort();
		for (uint32_t i = 0; i < segment->n_tables; i++) {
			const struct dfs_table_record *table = &c->tables[segment->first_table + i];

			if (table->off + (uint64_t)table->len > c->blob_len)
				abort();
		}
	}
	if (at != c->sb.original_size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t block[DFS_SUPERBLOCK_SIZE];
	struct dfs_container *container = NULL;
	struct dfs_superblock sb;
	struct dfs_span meta;
	struct dfs_err err;

	if (len < sizeof(block))
		return 0;
	memcpy(block, data, sizeof(block));
	dfs_superblock_unpack(block, &sb, &err);
	dfs_put_u64le(block + 56, dfs_hash64(block, 56, 0));
	dfs_put_u64le(block + 248, dfs_hash64(block, 248, 0));
	if (dfs_superblock_unpack(block, &sb, &err) < 0)
		return 0;
	meta = (struct dfs_span){ data + sizeof(block), len - sizeof(block) };
	sb.meta_len = meta.len;
	sb.meta_hash = dfs_hash128(meta.data, meta.len);
	if (dfs_container_unpack(&sb, meta, &container, &err) < 0)
		return 0;
	walk(container);
	dfs_container_free(container);
	return 0;
}
