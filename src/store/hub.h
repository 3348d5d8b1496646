/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hub: the nice names of a hub cache's blobs; shared within this folder.
 *
 *	models--ORG--NAME/blobs/HASH
 *	models--ORG--NAME/snapshots/COMMIT/NAME -> ../../blobs/HASH
 *
 * Links in folders of a snapshot have as many more "../" in front.
 */
#ifndef DFS_STORE_HUB_H
#define DFS_STORE_HUB_H

#include "store/expand.h"
#include "util/auto.h"

struct dfs_hub_names {
	char *blob;			/* path, like those of the walk */
	struct dfs_paths paths;		/* of the links */
};

/* Sorted by blob; n 0: not a hub repository. */
struct dfs_hub {
	struct dfs_hub_names *blobs;
	size_t n;
};

/**
 * dfs_hub_read() - the links of the repository @dir
 * @path: of @dir; goes in front of all paths
 * Return: 0, also if @dir is no such repository; -ENOMEM.
 */
int dfs_hub_read(int dir, const char *path, struct dfs_hub *ret_hub);

/**
 * dfs_hub_blob() - where a link of a snapshot leads
 * @dir, @name: the link
 * @path: of the link, like those of the walk
 * @ret_blob: path of the blob; free() it
 * Return: 0; -ENOENT: no such link, or it leads above where paths begin; -ENOMEM.
 */
int dfs_hub_blob(int dir, const char *name, const char *path, char **ret_blob);

/* dfs_hub_find() - the names of a blob, or NULL */
const struct dfs_hub_names *dfs_hub_find(const struct dfs_hub *hub, const char *path);

void dfs_hub_release(struct dfs_hub *hub);

DFS_AUTO_KIND(hub, struct dfs_hub, dfs_hub_release(p));

#endif
