/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuse/later.h"

#include <errno.h>
#include <stdlib.h>

#include "fuse/internal.h"
#include "util/auto.h"

/*
 * Threads that are there all the time, and how many may be started when all
 * of them wait for a disk. More: stacks; fewer: an fsync of one file waits for
 * that of another, and a thaw for those whose bases hang, which keep one each.
 */
#define THREADS 2
#define SPARES 62

struct dfs_pool *dfs_later_pool_new(const char *name)
{
	const struct dfs_pool_config config = { .threads = THREADS, .spares = SPARES, .name = name };

	return dfs_pool_new(&config);
}

struct dfs_open *dfs_handle_hold(struct dfs_mount *mount, struct dfs_open *open)
{
	pthread_mutex_lock(&mount->nodes.lock);
	open->handles++;
	pthread_mutex_unlock(&mount->nodes.lock);
	return open;
}

static void let_go(const struct dfs_later *later)
{
	if (later->open)
		dfs_open_end(later->mount, later->open, later->writes);
	if (later->other)
		dfs_open_end(later->mount, later->other, false);
	dfs_node_put(&later->mount->nodes, later->node);
	free(later->data);
}

void dfs_later_close(struct dfs_later *later)
{
	if (!later->writes)
		return;
	dfs_open_end(later->mount, dfs_steal(&later->open), true);
	later->writes = false;
}

static int open_first(struct dfs_later *later, struct dfs_err *err)
{
	struct dfs_open *open;
	int ret = dfs_open_node(later->mount, later->node, true, &open, err);

	later->opens = false;
	later->writes = ret == 0;
	later->open = ret == 0 ? open : NULL;
	return ret;
}

static void later_run(struct dfs_job *job, void *local)
{
	struct dfs_later *later = (struct dfs_later *)job;
	struct dfs_mount *mount = later->mount;
	struct dfs_err err = { "" };
	int ret = later->opens ? open_first(later, &err) : 0;

	(void)local;
	if (later->waits && later->open && dfs_open_parks(mount, later->other ? later->other : later->open, later->waits, job))
		return;
	if (ret == 0)
		later->run(later);
	else
		dfs_reply_failure(later->req, ret, &err);
	let_go(later);
	free(later);
	dfs_reads_end(mount);
}

void dfs_later(const struct dfs_later *later)
{
	struct dfs_later *copy = malloc(sizeof(*copy));

	if (!copy) {
		dfs_reply_error(later->req, -ENOMEM);
		let_go(later);
		return;
	}
	*copy = *later;
	copy->job.run = later_run;
	dfs_reads_begin(later->mount);
	dfs_pool_submit(later->pool ? later->pool : later->mount->later, &copy->job, DFS_URGENT);
}
