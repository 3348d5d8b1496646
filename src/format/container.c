/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * container: a metadata block as arrays of structs. One allocation holds
 * them all: its size follows from counts that were checked to fit the block.
 */
#include "format/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "util/auto.h"

/* Takes @n bytes from the one allocation; with @arena NULL it only counts. */
static void *arena_take(uint8_t *arena, uint64_t *used, uint64_t n)
{
	void *at = arena ? arena + *used : NULL;

	*used += align_up(n);
	return at;
}

/* Where each array lies in the allocation. Return: bytes of all. */
static uint64_t arena_cut(uint8_t *arena, struct dfs_container *c)
{
	uint64_t used = align_up(sizeof(*c));

	c->bases = arena_take(arena, &used, sizeof(*c->bases) * (uint64_t)c->n_bases);
	c->segments = arena_take(arena, &used, sizeof(*c->segments) * (uint64_t)c->n_segments);
	c->pieces = arena_take(arena, &used, sizeof(*c->pieces) * (uint64_t)c->n_pieces);
	c->piece_starts = arena_take(arena, &used, sizeof(*c->piece_starts) * (uint64_t)c->n_pieces);
	c->tables = arena_take(arena, &used, sizeof(*c->tables) * (uint64_t)c->n_tables);
	c->chunks = arena_take(arena, &used, sizeof(*c->chunks) * (uint64_t)c->n_chunks);
	c->blob = arena_take(arena, &used, c->blob_len);
	return used;
}

static struct dfs_container *container_new(const struct dfs_superblock *sb,
					   const struct place places[SECTIONS])
{
	struct dfs_container counts = {
		.sb = *sb,
		.n_bases = (uint32_t)places[SECTION_BASES].count,
		.n_segments = (uint32_t)places[SECTION_SEGMENTS].count,
		.n_pieces = (uint32_t)places[SECTION_PIECES].count,
		.n_tables = (uint32_t)places[SECTION_TABLES].count,
		.n_chunks = (uint32_t)places[SECTION_CHUNKS].count,
		.blob_len = places[SECTION_BLOB].count,
	};
	uint64_t strings_len = places[SECTION_STRINGS].count;
	uint64_t len = arena_cut(NULL, &counts);
	uint8_t *arena = malloc(len + strings_len);

	if (!arena)
		return NULL;
	arena_cut(arena, &counts);
	counts.strings = (char *)arena + len;
	counts.memory = len + strings_len;
	memcpy(arena, &counts, sizeof(counts));
	return (struct dfs_container *)arena;
}

void dfs_container_free(struct dfs_container *c)
{
	free(c);
}

/* A string of the section: inside it, without NUL, followed by one. */
static const char *get_string(const uint8_t *record, const char *strings, uint64_t strings_len)
{
	uint64_t off = dfs_get_u32le(record);
	uint64_t len = dfs_get_u32le(record + 4);

	if (off + len >= strings_len || strnlen(strings + off, len + 1) != len)
		return NULL;
	return strings + off;
}

static int get_bases(struct dfs_container *c, const uint8_t *from, uint64_t strings_len,
		     struct dfs_err *err)
{
	for (uint32_t i = 0; i < c->n_bases; i++, from += BASE_RECORD) {
		struct dfs_base_file *base = &c->bases[i];

		memcpy(base->hash.bytes, from, 16);
		base->size = dfs_get_u64le(from + 16);
		memcpy(base->model.bytes, from + 24, 16);
		base->name = get_string(from + 40, c->strings, strings_len);
		base->origin = get_string(from + 48, c->strings, strings_len);
		if (!base->name || !base->origin)
			return dfs_fail(err, EUCLEAN, "base %" PRIu32 ": its name is no string", i);
		if (dfs_get_u64le(from + 56))
			return dfs_fail(err, EUCLEAN, "base %" PRIu32 ": a reserved field is not zero", i);
	}
	return 0;
}

static void get_segment(struct dfs_segment *s, const uint8_t *from)
{
	s->off = dfs_get_u64le(from);
	s->len = dfs_get_u64le(from + 8);
	s->cols = dfs_get_u64le(from + 16);
	s->first_chunk = dfs_get_u32le(from + 24);
	s->n_chunks = dfs_get_u32le(from + 28);
	s->first_piece = dfs_get_u32le(from + 32);
	s->n_pieces = dfs_get_u32le(from + 36);
	s->first_table = dfs_get_u32le(from + 40);
	s->n_tables = dfs_get_u32le(from + 44);
	s->chunk_rows = dfs_get_u32le(from + 48);
	s->kind = from[52];
	s->dtype = from[53];
	s->drop = from[54];
	s->predictor = from[55];
	s->params_off = dfs_get_u32le(from + 56);
	s->params_len = dfs_get_u32le(from + 60);
}

static int get_segments(struct dfs_container *c, const uint8_t *from, struct dfs_err *err)
{
	uint64_t reserved = 0;

	for (uint32_t i = 0; i < c->n_segments; i++, from += SEGMENT_RECORD) {
		get_segment(&c->segments[i], from);
		reserved |= dfs_get_u64le(from + 64);
	}
	if (reserved)
		return dfs_fail(err, EUCLEAN, "segments: a reserved field is not zero");
	return 0;
}

static int get_pieces(struct dfs_container *c, const uint8_t *from, struct dfs_err *err)
{
	uint8_t reserved = 0;

	for (uint32_t i = 0; i < c->n_pieces; i++, from += PIECE_RECORD) {
		c->pieces[i].len = dfs_get_u64le(from);
		c->pieces[i].base_off = dfs_get_u64le(from + 8);
		c->pieces[i].file = dfs_get_u32le(from + 16);
		c->pieces[i].dtype = from[20];
		reserved |= from[21] | from[22] | from[23];
	}
	if (reserved)
		return dfs_fail(err, EUCLEAN, "pieces: a reserved field is not zero");
	return 0;
}

static int get_tables(struct dfs_container *c, const uint8_t *from, struct dfs_err *err)
{
	uint8_t reserved = 0;

	for (uint32_t i = 0; i < c->n_tables; i++, from += TABLE_RECORD) {
		c->tables[i].off = dfs_get_u32le(from);
		c->tables[i].len = dfs_get_u32le(from + 4);
		c->tables[i].codec = from[8];
		reserved |= from[9] | from[10] | from[11];
	}
	if (reserved)
		return dfs_fail(err, EUCLEAN, "tables: a reserved field is not zero");
	return 0;
}

static int get_chunks(struct dfs_container *c, const uint8_t *from, struct dfs_err *err)
{
	uint8_t reserved = 0;

	for (uint32_t i = 0; i < c->n_chunks; i++, from += CHUNK_RECORD) {
		c->chunks[i].off = dfs_get_u64le(from);
		c->chunks[i].len = dfs_get_u32le(from + 8);
		c->chunks[i].codec = from[12];
		c->chunks[i].payload_hash = dfs_get_u64le(from + 16);
		c->chunks[i].decoded_hash = dfs_get_u64le(from + 24);
		reserved |= from[13] | from[14] | from[15];
	}
	if (reserved)
		return dfs_fail(err, EUCLEAN, "chunks: a reserved field is not zero");
	return 0;
}

static int get_all(struct dfs_container *c, const uint8_t *meta, const struct place places[SECTIONS],
		   struct dfs_err *err)
{
	uint64_t strings_len = places[SECTION_STRINGS].count;
	int ret;

	memcpy(c->blob, meta + places[SECTION_BLOB].off, c->blob_len);
	memcpy(c->strings, meta + places[SECTION_STRINGS].off, strings_len);
	ret = get_bases(c, meta + places[SECTION_BASES].off, strings_len, err);
	if (ret == 0)
		ret = get_segments(c, meta + places[SECTION_SEGMENTS].off, err);
	if (ret == 0)
		ret = get_pieces(c, meta + places[SECTION_PIECES].off, err);
	if (ret == 0)
		ret = get_tables(c, meta + places[SECTION_TABLES].off, err);
	if (ret == 0)
		ret = get_chunks(c, meta + places[SECTION_CHUNKS].off, err);
	return ret;
}

int dfs_container_unpack(const struct dfs_superblock *sb, struct dfs_span meta,
			 struct dfs_container **ret_container, struct dfs_err *err)
{
	DFS_AUTO(container) struct dfs_container *c = NULL;
	struct place places[SECTIONS];
	int ret;

	if (meta.len != sb->meta_len)
		return dfs_fail(err, EUCLEAN, "metadata: %zu bytes, not %" PRIu64, meta.len, sb->meta_len);
	if (!dfs_hash_equal(dfs_hash128(meta.data, meta.len), sb->meta_hash))
		return dfs_fail(err, EBADMSG, "metadata is damaged (its hash does not match)");
	ret = dfs_sections_read(meta, sb->compatible, places, err);
	if (ret < 0)
		return ret;
	c = container_new(sb, places);
	if (!c)
		return dfs_fail(err, ENOMEM, "out of memory for %zu bytes of metadata", meta.len);
	ret = get_all(c, meta.data, places, err);
	if (ret == 0)
		ret = dfs_relations_check(c, err);
	if (ret < 0)
		return ret;
	*ret_container = dfs_steal(&c);
	return 0;
}

uint32_t dfs_container_find(const struct dfs_container *c, uint64_t off)
{
	uint32_t low = 0, high = c->n_segments;

	/* The last one that begins at or before off: an empty one there comes before it. */
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (c->segments[middle].off <= off)
			low = middle;
		else
			high = middle;
	}
	return low;
}
