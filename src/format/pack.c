/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pack: a container's account as the bytes of its metadata block.
 */
#include "format/internal.h"

#include <errno.h>

/* What is written where, once all sizes are known. */
struct packer {
	uint8_t *at[SECTIONS];	/* next byte of each section */
	uint8_t *strings;	/* the first byte of that section */
};

static size_t name_len(const char *name)
{
	return name ? strlen(name) : 0;
}

static uint64_t strings_len(const struct dfs_container *c)
{
	uint64_t len = 0;

	for (uint32_t i = 0; i < c->n_bases; i++)
		len += name_len(c->bases[i].name) + 1 + name_len(c->bases[i].origin) + 1;
	return len;
}

/* Appends a string and its NUL; @record gets offset and length. */
static void put_string(struct packer *p, uint8_t *record, const char *text)
{
	size_t len = name_len(text);
	uint8_t *to = p->at[SECTION_STRINGS];

	dfs_put_u32le(record, (uint32_t)(to - p->strings));
	dfs_put_u32le(record + 4, (uint32_t)len);
	if (len)
		memcpy(to, text, len);
	p->at[SECTION_STRINGS] = to + len + 1;
}

static void put_base(struct packer *p, const struct dfs_base_file *base)
{
	uint8_t *to = p->at[SECTION_BASES];

	memcpy(to, base->hash.bytes, 16);
	dfs_put_u64le(to + 16, base->size);
	memcpy(to + 24, base->model.bytes, 16);
	put_string(p, to + 40, base->name);
	put_string(p, to + 48, base->origin);
	p->at[SECTION_BASES] = to + BASE_RECORD;
}

static void put_segment(struct packer *p, const struct dfs_segment *s)
{
	uint8_t *to = p->at[SECTION_SEGMENTS];

	dfs_put_u64le(to, s->off);
	dfs_put_u64le(to + 8, s->len);
	dfs_put_u64le(to + 16, s->cols);
	dfs_put_u32le(to + 24, s->first_chunk);
	dfs_put_u32le(to + 28, s->n_chunks);
	dfs_put_u32le(to + 32, s->first_piece);
	dfs_put_u32le(to + 36, s->n_pieces);
	dfs_put_u32le(to + 40, s->first_table);
	dfs_put_u32le(to + 44, s->n_tables);
	dfs_put_u32le(to + 48, s->chunk_rows);
	to[52] = s->kind;
	to[53] = s->dtype;
	to[54] = s->drop;
	to[55] = s->predictor;
	dfs_put_u32le(to + 56, s->params_off);
	dfs_put_u32le(to + 60, s->params_len);
	p->at[SECTION_SEGMENTS] = to + SEGMENT_RECORD;
}

static void put_piece(struct packer *p, const struct dfs_piece_record *piece)
{
	uint8_t *to = p->at[SECTION_PIECES];

	dfs_put_u64le(to, piece->len);
	dfs_put_u64le(to + 8, piece->base_off);
	dfs_put_u32le(to + 16, piece->file);
	to[20] = piece->dtype;
	p->at[SECTION_PIECES] = to + PIECE_RECORD;
}

static void put_table(struct packer *p, const struct dfs_table_record *table)
{
	uint8_t *to = p->at[SECTION_TABLES];

	dfs_put_u32le(to, table->off);
	dfs_put_u32le(to + 4, table->len);
	to[8] = table->codec;
	p->at[SECTION_TABLES] = to + TABLE_RECORD;
}

static void put_chunk(struct packer *p, const struct dfs_chunk_ref *chunk)
{
	uint8_t *to = p->at[SECTION_CHUNKS];

	dfs_put_u64le(to, chunk->off);
	dfs_put_u32le(to + 8, chunk->len);
	to[12] = chunk->codec;
	dfs_put_u64le(to + 16, chunk->payload_hash);
	dfs_put_u64le(to + 24, chunk->decoded_hash);
	p->at[SECTION_CHUNKS] = to + CHUNK_RECORD;
}

static void put_all(struct packer *p, const struct dfs_container *c)
{
	p->strings = p->at[SECTION_STRINGS];
	for (uint32_t i = 0; i < c->n_bases; i++)
		put_base(p, &c->bases[i]);
	for (uint32_t i = 0; i < c->n_segments; i++)
		put_segment(p, &c->segments[i]);
	for (uint32_t i = 0; i < c->n_pieces; i++)
		put_piece(p, &c->pieces[i]);
	for (uint32_t i = 0; i < c->n_tables; i++)
		put_table(p, &c->tables[i]);
	for (uint32_t i = 0; i < c->n_chunks; i++)
		put_chunk(p, &c->chunks[i]);
	if (c->blob_len)
		memcpy(p->at[SECTION_BLOB], c->blob, c->blob_len);
}

int dfs_container_pack(const struct dfs_container *c, struct dfs_buf *meta, struct dfs_err *err)
{
	const uint64_t counts[SECTIONS] = {
		[SECTION_BASES] = c->n_bases,
		[SECTION_SEGMENTS] = c->n_segments,
		[SECTION_PIECES] = c->n_pieces,
		[SECTION_TABLES] = c->n_tables,
		[SECTION_CHUNKS] = c->n_chunks,
		[SECTION_BLOB] = c->blob_len,
		[SECTION_STRINGS] = strings_len(c),
	};
	uint64_t off[SECTIONS], end = META_HEADER + META_SECTION * SECTIONS;
	struct packer packer;
	uint8_t *block;

	if (c->blob_len > UINT32_MAX || counts[SECTION_STRINGS] > UINT32_MAX)
		return dfs_fail(err, E2BIG, "tables and parameters, or names of bases, exceed 4 GiB");
	for (unsigned i = 0; i < SECTIONS; i++) {
		off[i] = end;
		end = align_up(end + counts[i] * dfs_section_record(i));
	}
	block = dfs_buf_extend(meta, end);
	if (!block)
		return dfs_fail(err, ENOMEM, "out of memory for metadata");
	memset(block, 0, end);
	dfs_put_u32le(block, SECTIONS);
	for (unsigned i = 0; i < SECTIONS; i++) {
		dfs_put_u64le(block + META_HEADER + META_SECTION * i, off[i]);
		dfs_put_u64le(block + META_HEADER + META_SECTION * i + 8, counts[i]);
		packer.at[i] = block + off[i];
	}
	put_all(&packer, c);
	return 0;
}
