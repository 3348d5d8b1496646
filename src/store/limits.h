/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits: what the file system under a store cannot do, as sentences for whoever mounts it.
 */
#ifndef DFS_STORE_LIMITS_H
#define DFS_STORE_LIMITS_H

#include <stddef.h>

#include "store/store.h"

#define DFS_LIMITS_MAX 3

/**
 * dfs_store_limits() - try it out
 * @ret_sentences: DFS_LIMITS_MAX of them; each says what is missing and what follows from it
 *
 * Extended attributes and file locks are always tried; hard links only by the
 * holder of the writer lock, since that takes a file to try it on.
 * Return: how many sentences; 0: nothing is missing.
 */
size_t dfs_store_limits(struct dfs_store *store, struct dfs_err *ret_sentences);

#endif
