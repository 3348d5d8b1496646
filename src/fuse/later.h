/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * later: requests that wait for a disk, a decode or a copy (fsync, sizes of
 * containers, copy_file_range) wait in threads of their own, so that those who
 * take requests off the kernel's hands never do.
 */
#ifndef DFS_FUSE_LATER_H
#define DFS_FUSE_LATER_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "fuse/open.h"
#include "util/pool.h"

struct dfs_mount;

/* A request that is answered later. Which fields are used is its operation's to say. */
struct dfs_later {
	struct dfs_job job;
	struct dfs_mount *mount;
	fuse_req_t req;
	void (*run)(struct dfs_later *later);	/* replies */
	struct dfs_pool *pool;			/* NULL: mount->later */
	enum dfs_open_waits waits;		/* for @other if there is one, else for @open: without a thread */
	struct dfs_node *node;			/* referenced, or NULL */
	struct dfs_open *open, *other;		/* a handle of its own (dfs_handle_hold()), or NULL */
	bool opens;				/* @open is @node's, opened for writing before anything is waited for */
	bool writes;				/* that was done */
	struct fuse_file_info fi;
	struct stat attr;
	off_t off, other_off;
	size_t len;
	int flag;
	char *data;				/* freed in the end */
};

/* dfs_later() - run a copy of @later in another thread, and then put what it holds. Without memory it is answered with ENOMEM. */
void dfs_later(const struct dfs_later *later);

/* dfs_later_close() - end what was opened for it. Before the reply: who is told that it is done finds nothing open. */
void dfs_later_close(struct dfs_later *later);

/* dfs_handle_hold() - a handle that lives as long as the request: one that is interrupted may be followed by its release */
struct dfs_open *dfs_handle_hold(struct dfs_mount *mount, struct dfs_open *open);

/* dfs_later_pool_new() - Return: NULL with errno */
struct dfs_pool *dfs_later_pool_new(const char *name);

#endif
