/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "samples.h"

#include <stdlib.h>

#include "../check.h"

uint64_t random_next(struct random *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

uint64_t random_below(struct random *r, uint64_t n)
{
	return random_next(r) % n;
}

static struct dfs_hash random_hash(struct random *r)
{
	struct dfs_hash hash;

	for (size_t i = 0; i < sizeof(hash.bytes); i++)
		hash.bytes[i] = (uint8_t)random_next(r);
	return hash;
}

static void sample_bases(struct dfs_container *c, struct random *r)
{
	static const char *const names[] = { "", "model.safetensors", "llama/model-00001-of-00002.safetensors" };

	c->n_bases = (uint32_t)random_below(r, 4);
	c->bases = calloc(c->n_bases + 1, sizeof(*c->bases));
	for (uint32_t i = 0; i < c->n_bases; i++)
		c->bases[i] = (struct dfs_base_file){
			.hash = random_hash(r),
			.size = (1ull << 40) + random_below(r, 1u << 30),
			.model = random_hash(r),
			.name = names[random_below(r, 3)],
			.origin = i % 2 ? "org/name@0123abcd" : "",
		};
}

/* One to three pieces over the whole segment, each with a base or with none. */
static void sample_pieces(struct dfs_container *c, struct dfs_segment *s, struct random *r)
{
	uint64_t unit = dfs_segment_unit(s), left = s->len / unit;

	s->first_piece = c->n_pieces;
	if (!s->predictor || !left)
		return;
	while (left) {
		uint64_t n = s->n_pieces == 2 ? left : 1 + random_below(r, left);
		bool based = c->n_bases && random_below(r, 4);

		c->pieces[c->n_pieces++] = (struct dfs_piece_record){
			.len = n * unit,
			.base_off = based ? random_below(r, 1u << 30) : 0,
			.file = based ? (uint32_t)random_below(r, c->n_bases) : UINT32_MAX,
			.dtype = (uint8_t)random_below(r, 23),
		};
		s->n_pieces++;
		left -= n;
	}
}

/* Payload lengths and hashes; the payloads themselves nobody here reads. */
static void sample_chunks(struct dfs_container *c, struct dfs_segment *s, struct random *r)
{
	s->first_chunk = c->n_chunks;
	s->n_chunks = (uint32_t)dfs_segment_chunks(s);
	c->chunks = realloc(c->chunks, (c->n_chunks + s->n_chunks + 1) * sizeof(*c->chunks));
	for (uint32_t i = 0; i < s->n_chunks; i++) {
		uint64_t off, len;
		uint32_t payload;

		dfs_segment_chunk(s, i, &off, &len);
		payload = (uint32_t)random_below(r, len + 1);
		c->chunks[c->n_chunks++] = (struct dfs_chunk_ref){
			.off = c->sb.meta_off,
			.len = payload,
			.codec = (uint8_t)random_below(r, 6),
			.payload_hash = payload ? random_next(r) : 0,
			.decoded_hash = random_next(r),
		};
		c->sb.meta_off += payload;
	}
}

static void sample_segment(struct dfs_container *c, struct random *r)
{
	struct dfs_segment *s = &c->segments[c->n_segments++];
	uint64_t max = random_below(r, 3) ? 3000 : 600000;

	s->kind = (uint8_t)random_below(r, DFS_SEGMENT_KINDS);
	s->dtype = s->kind == DFS_SEGMENT_HEADER ? 0 : (uint8_t)random_below(r, 23);
	s->off = c->sb.original_size;
	s->len = random_below(r, max) * dfs_segment_unit(s);
	if (random_below(r, 3) == 0 && s->len) {
		s->cols = 1 + random_below(r, 100);
		s->len -= s->len % (s->cols * dfs_segment_unit(s));
		s->chunk_rows = random_below(r, 2) ? 1 + (uint32_t)random_below(r, 900) : 0;
	}
	if (s->kind != DFS_SEGMENT_HEADER)
		s->predictor = (uint8_t)random_below(r, 3);
	if (s->predictor > 1) {
		s->params_off = (uint32_t)random_below(r, c->blob_len + 1);
		s->params_len = (uint32_t)random_below(r, c->blob_len - s->params_off + 1);
	}
	s->drop = dfs_format_dtype_mantissa(s->dtype) > 2 ? 2 : 0;
	if (c->n_tables && random_below(r, 2)) {
		s->first_table = (uint32_t)random_below(r, c->n_tables);
		s->n_tables = 1;
	}
	sample_pieces(c, s, r);
	sample_chunks(c, s, r);
	c->sb.original_size += s->len;
}

struct dfs_container *sample_new(struct random *r, unsigned max_segments)
{
	struct dfs_container *c = calloc(1, sizeof(*c));
	unsigned n = (unsigned)random_below(r, max_segments + 1);

	c->sb.version = DFS_FORMAT_VERSION;
	c->sb.meta_off = DFS_SUPERBLOCK_SIZE;
	c->sb.shown_hash = c->sb.source_hash = random_hash(r);
	sample_bases(c, r);
	c->blob_len = random_below(r, 100);
	c->blob = malloc(c->blob_len + 1);
	for (uint64_t i = 0; i < c->blob_len; i++)
		c->blob[i] = (uint8_t)random_next(r);
	c->n_tables = (uint32_t)random_below(r, 4);
	c->tables = calloc(c->n_tables + 1, sizeof(*c->tables));
	for (uint32_t i = 0; i < c->n_tables; i++) {
		c->tables[i].off = (uint32_t)random_below(r, c->blob_len + 1);
		c->tables[i].len = (uint32_t)random_below(r, c->blob_len - c->tables[i].off + 1);
		c->tables[i].codec = (uint8_t)random_below(r, 6);
	}
	c->segments = calloc(n + 1, sizeof(*c->segments));
	c->pieces = calloc(3 * n + 1, sizeof(*c->pieces));
	for (unsigned i = 0; i < n; i++)
		sample_segment(c, r);
	return c;
}

void sample_free(struct dfs_container *c)
{
	free(c->bases);
	free(c->segments);
	free(c->pieces);
	free(c->tables);
	free(c->chunks);
	free(c->blob);
	free(c);
}

void sample_rehash(struct dfs_superblock *sb, const struct dfs_buf *meta)
{
	sb->meta_len = meta->len;
	sb->meta_hash = dfs_hash128(meta->data, meta->len);
	sb->container_size = sb->meta_off + sb->meta_len + DFS_SUPERBLOCK_SIZE;
}

void sample_pack(struct dfs_container *c, struct dfs_buf *meta)
{
	struct dfs_err err = { "" };

	CHECK_OK(dfs_container_pack(c, meta, &err), err);
	sample_rehash(&c->sb, meta);
}
