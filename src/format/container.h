/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * container: the bytes of a compressed file, packed and unpacked. No I/O here.
 *
 *	0		superblock (256 bytes)
 *	256		payloads, in chunk order, back to back
 *	meta_off	metadata (one block, one hash)
 *	size - 256	the superblock again
 *
 * Opening reads the superblock and the metadata: two reads, whatever the
 * size. Every table of the metadata is an array of fixed records, so nothing
 * is parsed but checked. deltafs-format(5) is the contract.
 *
 * Segments tile [0, original_size). Chunks tile segments by a fixed rule (see
 * dfs_segment_chunk()), so a chunk record holds no place in the file.
 */
#ifndef DFS_FORMAT_CONTAINER_H
#define DFS_FORMAT_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "util/auto.h"
#include "util/bytes.h"
#include "util/err.h"
#include "util/hash.h"

#define DFS_SUPERBLOCK_SIZE 256
#define DFS_MAGIC_SIZE 16
#define DFS_FORMAT_VERSION 1
#define DFS_GRID (128u << 10)		/* kernel read requests fall on it */
#define DFS_ORIGINAL_SIZE_MAX (1ull << 48)
#define DFS_FORMAT_CHUNK_MAX (16u << 20) /* decoded bytes of a chunk: what a reader must have room for */

/* Incompatible features; an unknown one is -ENOTSUP, named by its bit. */
#define DFS_FEATURE_LOSSY (1ull << 0)
#define DFS_FEATURES_KNOWN (DFS_FEATURE_LOSSY)

struct dfs_superblock {
	uint32_t version;
	uint64_t incompatible;
	uint64_t compatible;
	uint64_t original_size;		/* st_size of the mount */
	/* valid only if the version is known */
	uint64_t container_size;
	uint64_t meta_off;
	uint64_t meta_len;
	struct dfs_hash meta_hash;	/* XXH3-128 of the metadata */
	struct dfs_hash shown_hash;	/* XXH3-128 of the file as shown */
	struct dfs_hash source_hash;	/* of the file it was made from; equal if exact */
};

/* dfs_superblock_lossy() - has its container given up bits of what it was made from? */
static inline bool dfs_superblock_lossy(const struct dfs_superblock *sb)
{
	return sb->incompatible & DFS_FEATURE_LOSSY;
}

/* dfs_magic_score() - how many of the first 16 bytes are the magic's; 12 or more is a claim */
unsigned dfs_magic_score(const void *bytes, size_t len);
#define DFS_MAGIC_CLAIM 12

/* dfs_superblock_pack() - with both of its hashes */
void dfs_superblock_pack(const struct dfs_superblock *sb, uint8_t out[DFS_SUPERBLOCK_SIZE]);

/**
 * dfs_superblock_unpack() - read and check one
 * @in: 256 bytes
 *
 * Return: 0; -EUCLEAN if it is damaged; -ENOTSUP if bytes 0-63 are valid (and
 * version, features, original_size filled in) but this build cannot read the
 * rest: the sentence names the version or the feature bit.
 */
int dfs_superblock_unpack(const uint8_t in[DFS_SUPERBLOCK_SIZE], struct dfs_superblock *ret_sb,
			  struct dfs_err *err);

/* A file whose bytes predictions are made from. */
struct dfs_base_file {
	struct dfs_hash hash;		/* XXH3-128 of the whole content */
	uint64_t size;
	struct dfs_hash model;		/* model ID; zero if unknown */
	const char *name;		/* where it was: "llama/model-00001-of-00002.safetensors"; "" if unknown */
	const char *origin;		/* repository and commit, if known: "org/name@commit"; "" if not */
};

enum dfs_segment_kind {
	DFS_SEGMENT_OPAQUE = 0,	/* header, padding, trailing bytes, files that are no safetensors */
	DFS_SEGMENT_TENSOR = 1,	/* one tensor, or a run of its rows */
	DFS_SEGMENT_BUNDLE = 2,	/* neighbouring small tensors of one dtype, gaps included */
	DFS_SEGMENT_HEADER = 3,	/* length and JSON of a safetensors file; predictor none */
	DFS_SEGMENT_KINDS
};

struct dfs_segment {
	uint64_t off;		/* in the file */
	uint64_t len;
	uint64_t cols;		/* values in a row, of which the segment holds whole ones; 0: no rows */
	uint32_t first_chunk;
	uint32_t n_chunks;
	uint32_t first_piece;
	uint32_t n_pieces;
	uint32_t first_table;	/* into tables[] */
	uint32_t n_tables;
	uint32_t chunk_rows;	/* 0: cut on the file's grid; else rows a chunk (2-D codecs) */
	uint8_t kind;
	uint8_t dtype;
	uint8_t drop;		/* low bits that are zero in every value; 0 or less than the mantissa */
	uint8_t predictor;
	uint32_t params_off;	/* predictor parameters, in blob; 0 length for none and base */
	uint32_t params_len;
};

/* A run of a segment and the base bytes that predict it; see predict/predict.h, whose struct has the same members. */
struct dfs_piece_record {
	uint64_t len;
	uint64_t base_off;
	uint32_t file;		/* into bases[]; UINT32_MAX: none, and base_off 0 */
	uint8_t dtype;
};

/* A codec's shared table for one segment. */
struct dfs_table_record {
	uint32_t off;		/* in blob */
	uint32_t len;
	uint8_t codec;
};

struct dfs_chunk_ref {
	uint64_t off;		/* of the payload, in the container: 256, or where the one before ends */
	uint32_t len;		/* of the payload, at most the decoded length; 0 for copy */
	uint8_t codec;
	uint64_t payload_hash;	/* XXH3-64, seed = off; 0 if len is 0 */
	uint64_t decoded_hash;	/* XXH3-64, seed = the chunk's offset in the file */
};

/* The account of one compressed file; immutable once unpacked. */
struct dfs_container {
	struct dfs_superblock sb;
	struct dfs_base_file *bases;
	struct dfs_segment *segments;
	struct dfs_piece_record *pieces;
	uint64_t *piece_starts;		/* of each piece, within its segment (derived) */
	struct dfs_table_record *tables;
	struct dfs_chunk_ref *chunks;
	uint8_t *blob;			/* tables' and parameters' bytes */
	uint32_t n_bases, n_segments, n_pieces, n_tables, n_chunks;
	uint64_t blob_len;
	char *strings;			/* private: names of the bases */
	uint64_t memory;		/* bytes that all of this takes, if it was unpacked */
};

/**
 * dfs_container_pack() - the metadata block of a container
 * @c: everything but sb.meta_*, piece_starts
 * @meta: appended to
 *
 * Return: 0; -E2BIG if a count or offset does not fit; -ENOMEM.
 */
int dfs_container_pack(const struct dfs_container *c, struct dfs_buf *meta, struct dfs_err *err);

/**
 * dfs_container_unpack() - read a metadata block and check every relation in it
 * @sb: from the superblock; its meta_hash is checked here
 * @meta: sb->meta_len bytes
 * @ret_container: dfs_container_free() it
 *
 * Checked: hash; section bounds; reserved fields zero; segments tile the
 * file; chunk counts are what the cutting rule gives; chunk sizes at most
 * DFS_FORMAT_CHUNK_MAX; payloads tile [256, meta_off) in chunk order, none
 * longer than what it decodes to; pieces tile segments and lie in their base;
 * indices in range; strings terminated. What only a codec or predictor can
 * judge is left to it. Allocates in proportion to @meta, never to a number
 * read from it.
 *
 * Return: 0; -EBADMSG (hash); -EUCLEAN; -ENOMEM.
 */
int dfs_container_unpack(const struct dfs_superblock *sb, struct dfs_span meta,
			 struct dfs_container **ret_container, struct dfs_err *err);

void dfs_container_free(struct dfs_container *c); /* NULL is fine */

/* dfs_container_find() - index of the segment that holds byte @off (< original_size); O(log n). Empty segments are never returned. */
uint32_t dfs_container_find(const struct dfs_container *c, uint64_t off);

/*
 * The cutting rule. A segment [off, off + len) of values of @size bytes is cut
 * at off + roundup(g - off, size) for every multiple g of DFS_GRID with
 * off < g < off + len; a cut at or past the end is dropped. With chunk_rows,
 * every chunk_rows * cols values instead. An empty segment has no chunk.
 */
/* dfs_segment_chunks() - how many chunks the rule gives; UINT64_MAX if chunk_rows is used without cols */
uint64_t dfs_segment_chunks(const struct dfs_segment *s);
/* dfs_segment_chunk() - where chunk @i of the segment lies in the file */
void dfs_segment_chunk(const struct dfs_segment *s, uint32_t i, uint64_t *ret_off, uint64_t *ret_len);
/* dfs_segment_chunk_at() - which chunk of the segment holds byte @off of the file */
uint32_t dfs_segment_chunk_at(const struct dfs_segment *s, uint64_t off);
/* dfs_segment_unit() - bytes a value: the dtype's size */
unsigned dfs_segment_unit(const struct dfs_segment *s);

/* What the format fixes about a dtype number, without knowing src/tensor; 0 if there is no such dtype. */
unsigned dfs_format_dtype_size(unsigned dtype);
unsigned dfs_format_dtype_mantissa(unsigned dtype); /* bits; 0 also for integers and bytes */

DFS_AUTO_KIND(container, struct dfs_container *, dfs_container_free(*p));

#endif
