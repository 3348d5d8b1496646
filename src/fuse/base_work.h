/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base_work: a base is added to the mounted store, or removed from it, or what
 * its fine-tunes are compared with is set, because somebody asked for it.
 *
 * It is done as deltafsctl(1) does it without a mount, while nobody compresses
 * (write/turn.h), and with the rights of who asked: root and the owner of
 * .deltafs, who could do it without a mount.
 */
#ifndef DFS_FUSE_BASE_WORK_H
#define DFS_FUSE_BASE_WORK_H

#include <stdbool.h>
#include <sys/types.h>

#include "store/registry.h"
#include "util/err.h"

struct dfs_mount;

enum dfs_base_what { DFS_BASE_ADD, DFS_BASE_REMOVE, DFS_BASE_SET_NORMS };

struct dfs_base_work {
	enum dfs_base_what what;
	bool by_reference;
	uid_t uid;
	gid_t gid;
	dev_t dev;		/* of @path, as who asked sees it: he may see another file there; not of what is removed */
	ino_t ino;
	char path[4096];	/* absolute; of what is there already: or its ID */
	struct dfs_norms norms;	/* as of dfs_registry_set_norms() */
	/* what came of it */
	struct dfs_registry_added added;
	struct dfs_registry_removed removed;
	struct dfs_hash changed;	/* whose norms */
};

/* dfs_base_may() - may this user have it done? Return: 0; -EACCES, -EROFS; errors of fstatat(2). */
int dfs_base_may(struct dfs_mount *mount, uid_t uid);

/**
 * dfs_base_do() - do it
 * @progress: of what is hashed and copied; false: it is given up
 * Return: 0; -ECANCELED, -EPERM; errors of dfs_registry_add() and dfs_registry_remove().
 */
int dfs_base_do(struct dfs_mount *mount, struct dfs_base_work *work, dfs_hash_progress_fn *progress, void *arg,
		struct dfs_err *err);

#endif
