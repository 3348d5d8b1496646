/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_tree: each file of a store, from its outside to its content.
 *
 * A container's bases come first, then metadata and payloads by their hashes or,
 * in a full check, each chunk decoded through the READ flow; then what the
 * hashes do not cover (dfs_check_outside()), which is only mended where all
 * else was right. A plain file has nothing to check but that it can be read.
 */
#ifndef DFS_WRITE_CHECK_TREE_H
#define DFS_WRITE_CHECK_TREE_H

#include "read/reader.h"
#include "store/check.h"

/**
 * dfs_check_tree() - between dfs_check_models() and dfs_check_pins()
 * @reader: over check->bases; NULL unless check->full
 * @name: a walk has come to a file; for a progress bar; may be NULL
 * Return: 0; -ECANCELED, -ENOMEM, -EMFILE, errors of opening the store's root.
 */
int dfs_check_tree(struct dfs_check *check, struct dfs_reader *reader, void (*name)(void *arg, const char *path),
		   struct dfs_err *err);

#endif
