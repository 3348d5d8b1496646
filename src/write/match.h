/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match: which base tensor each tensor of a file is expressed against.
 *
 * WRITE: classify -> choose base -> this -> layout -> encode.
 *
 * The base is one model: the headers of all its files, which may be sharded
 * otherwise than the file. For each tensor, the first rule that finds a base
 * tensor of fitting shape and convertible dtype holds:
 *
 *	name	the same name, anywhere in the model
 *	prefix	the same name but for its leading components, where that is
 *		unambiguous; only base tensors that no name has taken
 *	tied	the same first bytes as another tensor of the file, whose base
 *		tensor it then shares
 *	content	the same first bytes as a base tensor of its dtype and size
 *
 * A shape fits if it is equal (dimensions of 1 aside), or if only the first
 * dimension differs: then the common rows match and the rest stands alone.
 * A wrong match costs bytes, never correctness: the codec sees the prediction
 * and declines what does not help.
 */
#ifndef DFS_WRITE_MATCH_H
#define DFS_WRITE_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "tensor/safetensors.h"
#include "util/err.h"

enum dfs_match_how {
	DFS_MATCH_NONE,
	DFS_MATCH_NAME,
	DFS_MATCH_PREFIX,
	DFS_MATCH_TIED,
	DFS_MATCH_CONTENT,
};

struct dfs_match {
	enum dfs_match_how how;
	uint32_t file;			/* index into base_files; if how is not NONE */
	const struct dfs_tensor *base;	/* owned by that header; NULL: none */
	uint64_t len;			/* leading bytes of the file's tensor that match; whole rows; 0: none */
};

#define DFS_MATCH_THE_FILE UINT32_MAX

/**
 * dfs_fingerprint_fn - hash of how a tensor begins
 * @arg: from the config
 * @file: index into base_files, or DFS_MATCH_THE_FILE for the file that is matched
 *
 * dfs_match_fingerprint() is one for open descriptors. Return: 0; a negative
 * errno if it cannot be read (the tensor then matches nothing by content).
 */
typedef int dfs_fingerprint_fn(void *arg, uint32_t file, const struct dfs_tensor *tensor,
			       uint64_t *ret_fingerprint);

/**
 * dfs_match_fingerprint() - XXH3-64 of the first 64 KiB of a tensor
 * Return: 0; errors of pread; -ENOMEM.
 */
int dfs_match_fingerprint(int fd, const struct dfs_tensor *tensor, uint64_t *ret_fingerprint);

struct dfs_match_config {
	dfs_fingerprint_fn *fingerprint;	/* NULL: names only, no I/O */
	void *arg;
};

/* How much of a file has a base; ranks candidate models before any bits are sampled. */
struct dfs_match_score {
	uint64_t matched_bytes;
	uint64_t total_bytes;	/* of all tensors */
};

/**
 * dfs_match_model() - find a base tensor for each tensor of a file
 * @file: the header of the file to be encoded
 * @base_files: @n_base_files headers, all files of one model; an order that
 *	is the same each time gives the same matches
 * @config: NULL: names only
 * @ret_matches: room for file->n_tensors, in the order of file->tensors
 * @ret_score: may be NULL
 *
 * The callback is asked only for tensors that no name matched, and for those
 * that could be their equal; at most once a tensor. O(n log n) in the number
 * of tensors. Return: 0; -ENOMEM.
 */
int dfs_match_model(const struct dfs_header *file, const struct dfs_header *const *base_files,
		    size_t n_base_files, const struct dfs_match_config *config,
		    struct dfs_match *ret_matches, struct dfs_match_score *ret_score,
		    struct dfs_err *err);

/* dfs_match_score_compare() - <0, 0, >0: the first covers a smaller, equal, greater share */
int dfs_match_score_compare(struct dfs_match_score a, struct dfs_match_score b);

#endif
