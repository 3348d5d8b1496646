/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * original: what is kept of a node's file (store/kept.h), let go of or given its name back.
 */
#ifndef DFS_FUSE_ORIGINAL_H
#define DFS_FUSE_ORIGINAL_H

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

struct dfs_mount;
struct dfs_node;

/*
 * dfs_original_may_change() - is the file of a node one whose content, attributes
 * and names may change? Asked after dfs_node_change() or dfs_node_writing().
 * Return: 0; -ESTALE: see dfs_node_was_left(); -EPERM: it has no name any more,
 * and is kept: it is to come back as it was.
 */
int dfs_original_may_change(struct dfs_mount *mount, struct dfs_node *node);

/* dfs_original_tell() - until when it is kept, as dfs_kept_until_text(); free() it. Return: 0; -ENODATA: it is not; -errno. */
int dfs_original_tell(struct dfs_mount *mount, struct dfs_node *node, char **ret_text);

/**
 * dfs_original_accept() - let go of it
 * @ret_bytes: that it had
 * Blocks on disks. Return: 0; -ENOENT: nothing is kept of it; errors of dfs_keeper_accept().
 */
int dfs_original_accept(struct dfs_mount *mount, struct dfs_node *node, uint64_t *ret_bytes, struct dfs_err *err);

/**
 * dfs_original_revert() - as if somebody had renamed it over the file
 * @written: though somebody may have written to that since
 * As above. Return: also -EBUSY: somebody has the file open for writing; errors of dfs_revert().
 */
int dfs_original_revert(struct dfs_mount *mount, struct dfs_node *node, bool written, uint64_t *ret_bytes,
			struct dfs_err *err);

#endif
