/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * revert: the original of a file that gave up bits takes its name back.
 *
 * WRITE, backwards: .deltafs/kept/ID -> publish, by one rename(2). It is the
 * very inode that was there before, and so has its owner, mode, times and
 * attributes; it is marked to be coded exactly from then on.
 */
#ifndef DFS_WRITE_REVERT_H
#define DFS_WRITE_REVERT_H

#include "store/publish.h"
#include "write/keeper.h"

struct dfs_revert {
	struct dfs_store *store;	/* its writer lock is held */
	struct dfs_keeper *keeper;
	const char *rel;		/* path of the file */
	int fd;				/* of the file, open for reading */
	bool written;			/* though somebody may have written to it since */
	/* As in struct dfs_publish; each may be NULL. */
	int (*enter)(void *arg);
	void (*leave)(void *arg, const struct dfs_published *now);
	void *arg;
};

/**
 * dfs_revert() - @ret_view: what was kept
 *
 * After a failure both are as they were. Return: 0; -ENOENT: nothing is kept
 * of it; -EEXIST: it was decoded, written to or coded anew since, and
 * @revert->written is not set; errors of dfs_publish().
 */
int dfs_revert(const struct dfs_revert *revert, struct dfs_keeper_view *ret_view, struct dfs_err *err);

#endif
