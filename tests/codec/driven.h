/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driven: a lossy codec, driven as an encoder and a reader would: measure every
 * chunk in order for each pass, settle, plan, prepare, open the table, encode;
 * and decode where a byte too far is seen. What should not be ends the program.
 *
 *	drive(&(struct driver){ .codec = DFS_CODEC_X, .options = "a=b" }, &matrix, 1, &driven);
 *	driven_decode(&driven, (struct way){ .level = DFS_CPU_PORTABLE }, out);
 *	driven_free(&driven);
 */
#ifndef DFS_TESTS_CODEC_DRIVEN_H
#define DFS_TESTS_CODEC_DRIVEN_H

#include "codec/lossy.h"
#include "matrix.h"

/* How to encode. */
struct driver {
	unsigned codec;
	const char *options;		/* as behind the colon of a SPEC; NULL: defaults */
	struct dfs_scratch *scratch;	/* NULL: one of its own, with the best kernels */
	bool backwards;			/* encode the last chunk first */
	size_t head, chunk;		/* values of the first chunk, and of each other, unless cut by rows; 0: 128 KiB */
	uint32_t chunk_rows;		/* not 0: instead of the codec's */
};

struct driven_chunk {
	uint64_t first;
	size_t n;
	uint8_t *payload;	/* followed by DFS_PAYLOAD_PAD bytes, and no more */
	size_t len;
};

/* A matrix, coded. */
struct driven {
	const struct dfs_lossy *lossy;
	const struct matrix *matrix;	/* its owner keeps it */
	_Alignas(16) uint8_t options[DFS_LOSSY_OPTIONS_MAX];
	struct dfs_lossy_tensor tensor;
	int ret;			/* 0; -ERANGE: the codec declines it, there is no payload */
	struct dfs_buf table, notes;
	struct driven_chunk *chunks;
	size_t n_chunks;
};

/*
 * drive() - all matrices of a model
 * @ret_driven: @n of them, each to be freed
 * Return: 0; -ERANGE: some are declined.
 */
int drive(const struct driver *how, const struct matrix *matrices, size_t n, struct driven *ret_driven);
/* driven_cut() - a matrix cut into chunks, for a test that writes table and payloads by hand */
void driven_cut(const struct driver *how, const struct matrix *matrix, struct driven *ret_driven);
void driven_free(struct driven *d);

struct dfs_block driven_block(const struct driven *d, const struct driven_chunk *chunk);

/* driven_same() - table and payloads are the same */
bool driven_same(const struct driven *a, const struct driven *b);

/* driven_shrinks() - no payload is longer than what it stands for */
bool driven_shrinks(const struct driven *d);

/* driven_bytes() - table and payloads, 32 bytes for each chunk's record in a container and 220 for the tensor's */
size_t driven_bytes(const struct driven *d);

/* --- reading */

/* Where a chunk is decoded, and by which kernels. */
struct way {
	enum dfs_cpu level;
	unsigned skew;	/* bytes from an aligned place to prediction, payload and values */
	bool in_place;
};

/* driven_open() - a table, from @len bytes in memory of just that length. Return: what table_open() returned. */
int driven_open(const struct driven *d, const uint8_t *bytes, size_t len, bool encoding, struct dfs_table **ret_table);

/*
 * driven_decode_chunk() - to @out, the bytes of the chunk's values
 * All that the codec sees is copied to memory that ends where it may look no further.
 * Return: what decode() returned.
 */
int driven_decode_chunk(const struct driven *d, const struct dfs_table *table, const struct driven_chunk *chunk,
			struct way way, uint8_t *out);

/* driven_agree() - a chunk by all kernels. Return: 0 and the same values, or -EUCLEAN, of all of them. */
int driven_agree(const struct driven *d, const struct dfs_table *table, const struct driven_chunk *chunk);

/* driven_decode() - table and all chunks, the last one first, to @out. Return: the first failure, or 0. */
int driven_decode(const struct driven *d, struct way way, uint8_t *out);

/* driven_decode_alike() - driven_decode() by all kernels, in place and not, aligned and not: all the same */
void driven_decode_alike(const struct driven *d, uint8_t *out);

#endif
