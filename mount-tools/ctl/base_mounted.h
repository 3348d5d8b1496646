/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base_mounted: bases of a store that is mounted read-write: its daemon adds
 * and removes them.
 */
#ifndef DELTAFSCTL_BASE_MOUNTED_H
#define DELTAFSCTL_BASE_MOUNTED_H

#include "ctl.h"
#include "daemon.h"
#include "store/registry.h"

/* The root of a mount. */
struct ctl_based {
	struct ctl_daemon daemon;
	char *store;		/* what it shows */
};

/**
 * ctl_based_open() - the daemon that writes to the store @path
 * @path: the store, or a mount of it
 * @ret_based: ctl_based_release() it in any case
 * Return: 1; 0: there is none; -errno with a sentence.
 */
int ctl_based_open(const char *path, struct ctl_based *ret_based, struct dfs_err *err);
void ctl_based_release(struct ctl_based *based);

DFS_AUTO_KIND(based, struct ctl_based, ctl_based_release(p));

/* ctl_based_add() - as dfs_registry_add(); what is compressed there is decoded first, which is said. Errors: also -EACCES. */
int ctl_based_add(struct ctl *ctl, const struct ctl_based *based, const char *path,
		  struct dfs_registry_added *ret_added, struct dfs_err *err);

/**
 * ctl_based_find() - the base that somebody means
 * @text: the beginning of an ID; or a path: a model that is no base yet becomes one, which is said
 * Return: 0; -ENOENT; errors of ctl_based_add().
 */
int ctl_based_find(struct ctl *ctl, const struct ctl_based *based, const char *text, struct dfs_hash *ret_id,
		   struct dfs_err *err);

/* ctl_based_set_norms() - as dfs_registry_set_norms(), replacing */
int ctl_based_set_norms(const struct ctl_based *based, const char *id_or_path, const struct dfs_norms *norms,
			struct dfs_err *err);

/* ctl_based_remove() - as dfs_registry_remove() */
int ctl_based_remove(const struct ctl_based *based, const char *id_or_path, struct dfs_registry_removed *ret_removed,
		     struct dfs_err *err);

#endif
