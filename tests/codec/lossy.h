/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lossy: a codec that gives up bits, driven as the encoder does it: measure
 * every chunk in order for each pass, settle, plan, prepare, open, encode;
 * and its payloads decoded where a byte too far is seen.
 */
#ifndef DFS_TESTS_CODEC_LOSSY_H
#define DFS_TESTS_CODEC_LOSSY_H

#include "codec/lossy.h"

/* A tensor, and how it is cut. */
struct lossy_tensor {
	struct dfs_shape shape;
	size_t n, bytes;
	uint8_t *pred, *data;	/* bytes and DFS_VALUES_PAD more */
	size_t head, chunk;	/* values of the first chunk, and of each other one; the codec may cut by rows instead */
};

/* lossy_tensor_new() - room for values of a shape, all zero */
struct lossy_tensor lossy_tensor_new(unsigned dtype, uint64_t rows, uint64_t cols);
void lossy_tensor_free(struct lossy_tensor *t);
/* lossy_put() - value @i of an array of the tensor's dtype: the nearest to @value */
void lossy_put(const struct lossy_tensor *t, uint8_t *values, size_t i, double value);
/* lossy_get() - value @i as a number */
double lossy_get(const struct lossy_tensor *t, const uint8_t *values, size_t i);
/* lossy_normal() - predictions of this spread, and differences of that, both normal */
void lossy_normal(struct lossy_tensor *t, double spread, double moved, uint64_t seed);
double lossy_random_normal(uint64_t *seed);

struct lossy_chunk {
	size_t first, n;
	uint8_t *payload;	/* len bytes */
	size_t len;
};

struct lossy_coded {
	unsigned codec;
	struct dfs_buf table, notes;
	struct dfs_table *opened;
	struct lossy_chunk *chunks;
	size_t n_chunks;
};

/*
 * lossy_code() - all of a tensor
 * @options: as behind the colon of a SPEC
 * Return: 0; -ERANGE: the codec declines it.
 */
int lossy_code(const struct lossy_tensor *t, unsigned codec, const char *options, struct lossy_coded *ret_coded);
void lossy_coded_free(struct lossy_coded *coded);
size_t lossy_coded_bytes(const struct lossy_coded *coded);	/* of table and payloads */

/* How chunks are decoded. */
struct lossy_way {
	enum dfs_cpu level;
	unsigned skew;	/* bytes from an aligned place to prediction, payload and values */
	bool in_place;
};

/*
 * lossy_decode() - one chunk, to @out (values of the chunk; DFS_VALUES_PAD bytes more are not touched)
 * The payload is copied to memory that ends right behind its padding.
 * Return: what decode() returned.
 */
int lossy_decode(const struct lossy_tensor *t, const struct lossy_coded *coded, const struct lossy_chunk *chunk,
		 const struct lossy_way *way, uint8_t *out);

/* lossy_decode_all() - all chunks in any order, to @out (bytes and DFS_VALUES_PAD more) */
void lossy_decode_all(const struct lossy_tensor *t, const struct lossy_coded *coded, const struct lossy_way *way,
		      uint8_t *out);

/* lossy_refuses_damage() - cut off and flipped bits in table and payloads: refused, or decoded alike by all kernels. Return: how many were refused. */
unsigned lossy_refuses_damage(const struct lossy_tensor *t, const struct lossy_coded *coded, unsigned rounds);

#endif
