/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * safetensors: what a model file says it contains.
 *
 * A file is an 8-byte little-endian length N, N bytes of JSON, then the data
 * of the tensors without holes. Every rule of the reference reader is checked
 * (length within the file, UTF-8, no duplicate keys, offsets that start at 0
 * and touch, products that do not wrap, end of the last tensor = end of file).
 * A file that breaks one is not an error for deltafs: it is opaque bytes.
 *
 * Limits: header 32 MB, depth 8, 2,000,000 values, 500,000 keys, 100,000
 * tensors, name 64 KiB; beyond them -E2BIG. One linear scan checks them before
 * the JSON parser sees a byte, so that a hostile header costs at most some
 * 150 MB while it is read.
 *
 * Stricter than the reference: duplicate keys, names with a NUL, and numbers at
 * or beyond 2^63. Laxer: -0 is 0. Otherwise the two agree on what is valid.
 *
 * Source: safetensors/src/tensor.rs (validation); README "Format".
 */
#ifndef DFS_TENSOR_SAFETENSORS_H
#define DFS_TENSOR_SAFETENSORS_H

#include <stdint.h>

#include "tensor/dtype.h"
#include "util/err.h"

#define DFS_RANK_MAX 16 /* a higher rank is kept as rank 2: all but the last dimension, the last */
#define DFS_HEADER_MAX (32u << 20)
#define DFS_HEADER_TENSORS_MAX 100000u
#define DFS_FILE_LEN_ANY UINT64_MAX /* for dfs_header_parse(): no file is that long */

struct dfs_tensor {
	const char *name;	/* NUL-terminated; owned by the header; a name with an embedded NUL is refused */
	enum dfs_dtype dtype;
	uint8_t rank;
	uint64_t shape[DFS_RANK_MAX];
	uint64_t off;		/* in the file, not in the data part */
	uint64_t len;		/* bytes */
};

/* One file's tensors, ordered by @off (empty ones first among equals). Immutable. */
struct dfs_header {
	struct dfs_tensor *tensors;
	size_t n_tensors;
	uint64_t data_off;	/* 8 + N */
	uint64_t file_len;
	/* private */
	void *json;		/* the "__metadata__" object, or NULL */
	void *by_name;		/* tensors ordered by name */
	char *names;
};

/**
 * dfs_header_parse() - read a header
 * @bytes: the first bytes of the file, at least 8 + N of them
 * @len: how many there are
 * @file_len: size of the whole file; DFS_FILE_LEN_ANY: as long as the header
 *	says, so that its file_len tells how long that is
 * @ret_header: dfs_header_free() it
 *
 * Return: 0; -EINVAL if this is not a valid safetensors file (the sentence
 * says which rule); -E2BIG beyond the limits above; -ENOMEM.
 */
int dfs_header_parse(const void *bytes, size_t len, uint64_t file_len,
		     struct dfs_header **ret_header, struct dfs_err *err);

/**
 * dfs_header_load() - the same, reading what it needs from @fd with pread
 * Return: as above; -EIO and other errors of pread.
 */
int dfs_header_load(int fd, struct dfs_header **ret_header, struct dfs_err *err);

void dfs_header_free(struct dfs_header *header);

/* dfs_header_find() - by name; O(log n). NULL if there is none. */
const struct dfs_tensor *dfs_header_find(const struct dfs_header *header, const char *name);

/* dfs_header_at() - the tensor that holds byte @off of the file, or NULL (header, gap). */
const struct dfs_tensor *dfs_header_at(const struct dfs_header *header, uint64_t off);

/* dfs_header_metadata() - a value of "__metadata__", or NULL. Owned by @header. */
const char *dfs_header_metadata(const struct dfs_header *header, const char *key);

/* Elements in one row (the last dimension), 0 if rank < 2. */
uint64_t dfs_tensor_cols(const struct dfs_tensor *tensor);

#endif
