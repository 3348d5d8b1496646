/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * relations: whether the records of a container fit together.
 *
 * Segments tile the file, their chunks and pieces use up the chunk and piece
 * arrays in order, payloads use up the bytes before the metadata. So every
 * byte of a container is covered by some hash and by one record alone.
 */
#include "format/internal.h"

#include <errno.h>
#include <inttypes.h>

/* The two predictors without parameters; later ones look at theirs themselves. */
enum { PREDICTOR_NONE = 0, PREDICTOR_BASE = 1 };

/* How far the walk over the segments has come in each array. */
struct walk {
	uint64_t off;		/* in the file */
	uint64_t payload_off;	/* in the container */
	uint32_t chunk;
	uint32_t piece;
};

static bool range_fits(uint64_t first, uint64_t n, uint64_t limit)
{
	return first <= limit && n <= limit - first;
}

/* What one record says that no other bears on. Return: NULL, or what is wrong. */
static const char *segment_shape_fault(const struct dfs_segment *s)
{
	unsigned unit = dfs_format_dtype_size(s->dtype);
	uint64_t row;

	if (s->kind >= DFS_SEGMENT_KINDS)
		return "unknown kind";
	if (!unit)
		return "unknown dtype";
	if (s->len % unit)
		return "its length is no multiple of its values' size";
	if (s->drop && s->drop >= dfs_format_dtype_mantissa(s->dtype))
		return "it drops more bits than the mantissa has";
	if (s->kind == DFS_SEGMENT_HEADER && (s->predictor || s->dtype))
		return "a header has no predictor and no dtype";
	if (s->predictor == PREDICTOR_NONE && s->n_pieces)
		return "pieces without a predictor";
	if (s->predictor <= PREDICTOR_BASE && s->params_len)
		return "parameters for a predictor that has none";
	if (s->cols && (__builtin_mul_overflow(s->cols, (uint64_t)unit, &row) || s->len % row))
		return "its rows are not whole";
	if (s->chunk_rows && !s->cols)
		return "chunks of rows without rows";
	if (s->chunk_rows && s->cols > DFS_FORMAT_CHUNK_MAX / unit / s->chunk_rows)
		return "its chunks are too long";
	return NULL;
}

static const char *segment_range_fault(const struct dfs_container *c, const struct dfs_segment *s,
				       const struct walk *walk)
{
	if (s->off != walk->off || !range_fits(s->off, s->len, c->sb.original_size))
		return "it does not follow the one before";
	if (s->first_chunk != walk->chunk || s->n_chunks != dfs_segment_chunks(s) ||
	    !range_fits(s->first_chunk, s->n_chunks, c->n_chunks))
		return "its chunks are not those of the cutting rule";
	if (s->first_piece != walk->piece || !range_fits(s->first_piece, s->n_pieces, c->n_pieces))
		return "its pieces do not follow those before";
	if (!range_fits(s->first_table, s->n_tables, c->n_tables))
		return "its tables are not there";
	if (!range_fits(s->params_off, s->params_len, c->blob_len))
		return "its parameters are not there";
	return NULL;
}

/* Whether the base bytes of a piece lie in its base file. */
static bool piece_fits(const struct dfs_container *c, const struct dfs_segment *s,
		       const struct dfs_piece_record *p)
{
	unsigned unit = dfs_segment_unit(s);
	unsigned base_unit = dfs_format_dtype_size(p->dtype);
	uint64_t bytes;

	if (!base_unit || !p->len || p->len % unit)
		return false;
	if (p->file == UINT32_MAX)
		return p->base_off == 0;
	return p->file < c->n_bases &&
	       !__builtin_mul_overflow(p->len / unit, (uint64_t)base_unit, &bytes) &&
	       range_fits(p->base_off, bytes, c->bases[p->file].size);
}

static const char *pieces_fault(struct dfs_container *c, const struct dfs_segment *s)
{
	uint64_t off = 0;

	for (uint32_t i = s->first_piece; i < s->first_piece + s->n_pieces; i++) {
		const struct dfs_piece_record *p = &c->pieces[i];

		if (!piece_fits(c, s, p) || p->len > s->len - off)
			return "a piece does not fit it or its base";
		c->piece_starts[i] = off;
		off += p->len;
	}
	if ((s->n_pieces || s->predictor == PREDICTOR_BASE) && off != s->len)
		return "its pieces do not cover it";
	return NULL;
}

static const char *chunks_fault(const struct dfs_container *c, const struct dfs_segment *s,
				struct walk *walk)
{
	for (uint32_t i = 0; i < s->n_chunks; i++) {
		const struct dfs_chunk_ref *chunk = &c->chunks[s->first_chunk + i];
		uint64_t off, len;

		dfs_segment_chunk(s, i, &off, &len);
		if (chunk->off != walk->payload_off ||
		    !range_fits(chunk->off, chunk->len, c->sb.meta_off))
			return "a payload does not follow the one before";
		if (chunk->len > len)
			return "a payload is longer than what it stands for";
		if (!chunk->len && chunk->payload_hash)
			return "an empty payload has a hash";
		walk->payload_off += chunk->len;
	}
	return NULL;
}

static const char *segment_fault(struct dfs_container *c, const struct dfs_segment *s,
				 struct walk *walk)
{
	const char *fault = segment_shape_fault(s);

	if (!fault)
		fault = segment_range_fault(c, s, walk);
	if (!fault)
		fault = pieces_fault(c, s);
	if (!fault)
		fault = chunks_fault(c, s, walk);
	walk->off += s->len;
	walk->chunk += s->n_chunks;
	walk->piece += s->n_pieces;
	return fault;
}

static int tables_check(const struct dfs_container *c, struct dfs_err *err)
{
	for (uint32_t i = 0; i < c->n_tables; i++)
		if (!range_fits(c->tables[i].off, c->tables[i].len, c->blob_len))
			return dfs_fail(err, EUCLEAN, "table %" PRIu32 ": its bytes are not there", i);
	return 0;
}

static int bases_check(const struct dfs_container *c, struct dfs_err *err)
{
	for (uint32_t i = 0; i < c->n_bases; i++)
		if (c->bases[i].size > INT64_MAX)
			return dfs_fail(err, EUCLEAN, "base %" PRIu32 ": size %" PRIu64, i, c->bases[i].size);
	return 0;
}

int dfs_relations_check(struct dfs_container *c, struct dfs_err *err)
{
	struct walk walk = { .payload_off = DFS_SUPERBLOCK_SIZE };
	int ret = bases_check(c, err);

	if (ret == 0)
		ret = tables_check(c, err);
	for (uint32_t i = 0; ret == 0 && i < c->n_segments; i++) {
		const char *fault = segment_fault(c, &c->segments[i], &walk);

		if (fault)
			ret = dfs_fail(err, EUCLEAN, "segment %" PRIu32 ": %s", i, fault);
	}
	if (ret < 0)
		return ret;
	if (walk.off != c->sb.original_size || walk.chunk != c->n_chunks || walk.piece != c->n_pieces ||
	    walk.payload_off != c->sb.meta_off)
		return dfs_fail(err, EUCLEAN, "segments, chunks, pieces or payloads are left over or missing");
	return 0;
}
