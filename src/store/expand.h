/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expand: the files of a model, from how people name models.
 *
 *	x.safetensors			that file
 *	x.safetensors.index.json	the shards that its "weight_map" names
 *	a directory			its model.safetensors.index.json, or the only
 *					*.index.json there is, or all its *.safetensors
 */
#ifndef DFS_STORE_EXPAND_H
#define DFS_STORE_EXPAND_H

#include <stddef.h>

#include "util/auto.h"
#include "util/err.h"

struct dfs_paths {
	char **paths;
	size_t n;
};

/**
 * dfs_paths_expand() - the files that @path stands for
 * @ret_paths: sorted, without duplicates, at least one; dfs_paths_release() it
 *
 * Looks at names and at the index; no model file is opened. A shard named in
 * an index must lie beside it: a name with a slash is refused.
 *
 * Return: 0; -ENOENT: nothing of that name, or a directory without model
 * files; -EUCLEAN: an index that makes no sense; -EACCES, ...
 */
int dfs_paths_expand(const char *path, struct dfs_paths *ret_paths, struct dfs_err *err);

/* dfs_paths_add() - append a copy of @path. Return: 0 or -ENOMEM. */
int dfs_paths_add(struct dfs_paths *paths, const char *path);

void dfs_paths_release(struct dfs_paths *paths);

DFS_AUTO_KIND(paths, struct dfs_paths, dfs_paths_release(p));

#endif
