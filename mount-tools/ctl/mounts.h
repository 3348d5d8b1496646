/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mounts: is a path inside a mount of deltafs, and which store is behind it.
 */
#ifndef DELTAFSCTL_MOUNTS_H
#define DELTAFSCTL_MOUNTS_H

#include "util/err.h"

struct ctl_mount {
	char *point;	/* where it is mounted */
	char *store;	/* its source */
};

/**
 * ctl_mount_find() - the deltafs mount that an existing path lies in
 * @ret_mount: ctl_mount_release() it; set only if there is one
 * Return: 1: it lies in one; 0: not; -errno: it cannot be told (no such path, ...).
 */
int ctl_mount_find(const char *path, struct ctl_mount *ret_mount);
void ctl_mount_release(struct ctl_mount *mount);

/**
 * ctl_mount_behind() - the path in the store for a path that may be in a mount of it
 * Return: free() it; NULL with a sentence: no such path, or a mount that lies over its own store.
 */
char *ctl_mount_behind(const char *path, struct dfs_err *err);

/* ctl_mount_refuse() - -EBUSY for a path in a mount, with what to do instead: its path in the store, or umount; 0; -errno: no such path, ... */
int ctl_mount_refuse(const char *path, struct dfs_err *err);

/**
 * ctl_mount_own() - the path in @store for a path that may be in a mount of this very store
 *
 * What a store needs it must not find through its own mount: that would hold
 * the mount busy, and be gone with it. A link at the end of the path stays a
 * link, since its name tells where a model is from.
 * Return: free() it; a copy of @path if it is in no such mount; NULL: out of memory.
 */
char *ctl_mount_own(const char *path, const char *store);

#endif
