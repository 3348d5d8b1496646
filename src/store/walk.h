/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk: every regular file below a directory, once, with its claim.
 *
 * Symbolic links are not followed and .deltafs is not entered. A hub cache
 * keeps its files under blobs/ by hash and shows them by links
 * snapshots/COMMIT/NAME -> ../../blobs/HASH: there each blob is visited once,
 * by its real path, and the links are handed along as its names. A walk that
 * begins inside snapshots/ follows such links (and no others) to the blobs.
 */
#ifndef DFS_STORE_WALK_H
#define DFS_STORE_WALK_H

#include <stddef.h>
#include <sys/stat.h>

#include "store/claim.h"
#include "store/store.h"

/* Directories deeper than this are reported and skipped: each level holds a descriptor. */
#define DFS_WALK_DEPTH 256

/* All borrowed, for the time of the call. */
struct dfs_walk_file {
	const char *path;		/* relative to @dir, so it begins with @rel */
	const char *const *names;	/* of a hub blob: its links, paths like @path; sorted */
	size_t n_names;
	int fd;				/* open for reading; the callback may dup() it */
	struct stat st;
	struct dfs_claim claim;
};

struct dfs_walk_ops {
	/* Return: 0; negative ends the walk and is its result. */
	int (*file)(void *arg, const struct dfs_walk_file *file);
	/* What cannot be read; the walk goes on. May be NULL. */
	void (*fail)(void *arg, const char *path, int ret, const char *why);
};

/**
 * dfs_walk() - visit what lies below @rel
 * @dir: a directory; borrowed. Nothing outside it is visited: for a path that is
 * in no store give the root, so that a snapshot's blobs are inside.
 * @rel: path below it, "" for @dir itself; a regular file is a walk of one
 *
 * In the order of names, so that two walks of one tree are the same. Changes
 * under way may or may not be seen; a file that vanishes is not a failure.
 *
 * Return: 0; what ops->file returned; errors of opening @rel; -ENOMEM.
 */
int dfs_walk(int dir, const char *rel, const struct dfs_walk_ops *ops, void *arg,
	     struct dfs_err *err);

/* dfs_walk_name() - the best name to show: the first of names, else the path */
static inline const char *dfs_walk_name(const struct dfs_walk_file *file)
{
	return file->n_names ? file->names[0] : file->path;
}

#endif
