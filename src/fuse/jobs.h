/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jobs: what somebody began by an ioctl and asks for afterwards, by number.
 *
 * One that has ended is forgotten when its place is needed, or when it was
 * asked for.
 */
#ifndef DFS_FUSE_JOBS_H
#define DFS_FUSE_JOBS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/err.h"

/*
 * Under way at once: of all users, and of one who is not root. Each keeps one
 * of the threads of later.h, which others want too. More: decodes that wait for
 * each other's disk; fewer: some wait for somebody else's base that hangs.
 */
#define DFS_JOBS_RUNNING 16
#define DFS_JOBS_RUNNING_USER 8

struct dfs_base_work;
struct dfs_mount;
struct dfs_node;
struct dfs_jobs;

/* dfs_jobs_new() - Return: NULL: out of memory */
struct dfs_jobs *dfs_jobs_new(void);
void dfs_jobs_free(struct dfs_jobs *jobs); /* when none runs; NULL is fine */

/* What is done to a file. */
enum dfs_job_kind {
	DFS_JOB_DECODE,		/* it is made plain, and stays so until it is written */
	DFS_JOB_ACCEPT,		/* its original goes */
	DFS_JOB_REVERT,		/* its original takes its place */
	DFS_JOB_REVERT_WRITTEN,	/* the same, though somebody may have written to it since */
};

/**
 * dfs_job_begin() - begin to do that to the file of @node
 * @node: its reference is taken if it succeeds
 * @uid: who may ask
 * @ret_id: for dfs_job_ask()
 *
 * Does not block. Return: 0; -EAGAIN: too many are under way.
 */
int dfs_job_begin(struct dfs_mount *mount, enum dfs_job_kind kind, struct dfs_node *node, uid_t uid, uint64_t *ret_id);

/*
 * dfs_job_base() - begin to add or remove a base
 * @work: taken if it succeeds; of malloc()
 * As above. Who may is for the caller to see.
 */
int dfs_job_base(struct dfs_mount *mount, struct dfs_base_work *work, uint64_t *ret_id);

struct dfs_job_view {
	bool over;
	int result;		/* then */
	uint64_t done, total;	/* bytes */
	struct dfs_err err;	/* of a failure */
	struct dfs_base_work *base;	/* of dfs_job_base(), once it is over: free() it; else NULL */
};

/* dfs_job_ask() - how it goes. @base: it is one of dfs_job_base(). Return: 0; -ENOENT: no such job of this user. */
int dfs_job_ask(struct dfs_jobs *jobs, uint64_t id, uid_t uid, bool base, struct dfs_job_view *ret_view);

#endif
