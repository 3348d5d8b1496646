/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * caller: files are made as whoever makes them.
 *
 *	struct dfs_caller caller;
 *
 *	dfs_caller_begin(&caller, req);
 *	ret = mkdirat(...) < 0 ? -errno : 0;
 *	dfs_caller_end(&caller);
 *
 * For the thread, and for as long as that takes: user, group and umask are
 * the caller's, so that the store's file system does what it would have done
 * for him (owner, set-group-ID directories, default ACLs, quotas). What the
 * kernel has allowed already, with all of his groups, is not asked a second
 * time. A daemon without root makes everything as itself.
 */
#ifndef DFS_FUSE_CALLER_H
#define DFS_FUSE_CALLER_H

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include <stdbool.h>

#include "util/caps.h"

struct dfs_caller {
	bool changed;		/* the thread acts for somebody else */
	mode_t umask;		/* of the thread before */
	struct dfs_caps caps;	/* the same */
};

void dfs_caller_begin(struct dfs_caller *caller, fuse_req_t req);
void dfs_caller_end(struct dfs_caller *caller);

/* dfs_caller_in_group() - is @group one of the caller's? As far as /proc tells. */
bool dfs_caller_in_group(fuse_req_t req, gid_t group);

/* dfs_caller_has() - capability @cap? False also if /proc does not tell. */
bool dfs_caller_has(fuse_req_t req, int cap);

/* A thread that has the rights of another user and no others, for what he asked for by name. */
struct dfs_other {
	bool changed;
	struct dfs_caps caps;	/* of the thread before */
	gid_t *groups;		/* the same */
	int n_groups;
};

/**
 * dfs_other_begin() - look at files as @uid would
 * With the groups that the name service knows; it may be waited for. Nothing
 * where this process is his. Return: 0: dfs_other_end() follows; -EPERM: it
 * cannot be done; -ENOMEM.
 */
int dfs_other_begin(struct dfs_other *other, uid_t uid, gid_t gid);
void dfs_other_end(struct dfs_other *other);

#endif
