/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settle: what must be done before bytes of some files change.
 *
 * A container becomes plain: what is written goes into its plain form at once
 * (write/thaw.h), and when all else is decoded that takes its place. A base's
 * bytes are kept: the pin, which was another name of the file, becomes a file
 * of its own before the first of them is overwritten. What was copied to a
 * file without being written to it (copied.h) is written.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse/copied.h"
#include "fuse/internal.h"
#include "fuse/replace.h"
#include "store/pins.h"
#include "store/plain_mark.h"
#include "util/auto.h"

void dfs_container_touch(const struct dfs_mount *mount, int fd)
{
	static const struct timespec now[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_NOW } };

	if (!mount->writeback)
		futimens(fd, now);
}

/* --- who waits without a thread */

/* Under the lock. */
static void park(struct dfs_open *open, struct dfs_job *job)
{
	job->next = open->parked;
	open->parked = job;
}

/* Under the lock. A job that waits for something else by now parks again. */
void dfs_open_wake(struct dfs_mount *mount, struct dfs_open *open)
{
	struct dfs_job *next;

	for (struct dfs_job *job = open->parked; job; job = next) {
		next = job->next;
		dfs_pool_submit(mount->later, job, DFS_URGENT);
	}
	open->parked = NULL;
	pthread_cond_broadcast(&mount->nodes.settled);
}

static bool waits_for_thaw(const struct dfs_content *content, enum dfs_open_waits waits)
{
	return content->thaw && (waits == DFS_WAITS_PLAIN || (waits == DFS_WAITS_BEGUN && dfs_thaw_begun(content->thaw)));
}

bool dfs_open_parks(struct dfs_mount *mount, struct dfs_open *open, enum dfs_open_waits waits, struct dfs_job *job)
{
	struct dfs_content *content = dfs_content_get(mount, open);
	bool thaws = waits_for_thaw(content, waits), parks;

	if (thaws)
		dfs_open_thawing(mount, open, content);
	pthread_mutex_lock(&mount->nodes.lock);
	if (thaws)
		parks = atomic_load(&content->thawing) && open->content == content && !content->failed;
	else
		parks = (waits != DFS_WAITS_BEGUN && atomic_load(&content->pinned) && open->settling) ||
			(open->copied && open->copied->busy);
	if (parks)
		park(open, job);
	pthread_mutex_unlock(&mount->nodes.lock);
	dfs_content_put(mount, content);
	return parks;
}

/* --- thaws */

/* Who sees to the end of one. Holds a handle that writes, so that nobody else has the file for himself. */
struct thawing {
	struct dfs_thaw_wait wait;
	struct dfs_mount *mount;
	struct dfs_open *open;
	struct dfs_content *content;	/* referenced */
};

static int thawed(struct thawing *t, struct dfs_err *err)
{
	DFS_AUTO(mem) char *name = NULL;
	DFS_AUTO(fd) int fd = -1;
	int ret = dfs_thaw_result(t->content->thaw, err);

	if (ret == 0)
		ret = dfs_thaw_take(t->content->thaw, &fd, &name, err);
	if (ret < 0)
		return ret;
	/* Old bytes and new ones may make a beginning that neither was. */
	ret = dfs_plain_mark_guard_all(fd);
	if (ret < 0) {
		unlinkat(dfs_store_fd(t->mount->store), name, 0);
		return dfs_fail(err, -ret, "what was decoded cannot be marked plain: %s", strerror(-ret));
	}
	return dfs_replace_plain(t->mount, t->open->node, dfs_view_fd(t->content->view), fd, name,
				 atomic_load(&t->open->dirty) ? DFS_REPLACES_WRITTEN : DFS_REPLACES_SAME, err);
}

/* Else the file was emptied meanwhile, and nothing that was written before is missed. */
static bool is_current(const struct thawing *t)
{
	bool current;

	pthread_mutex_lock(&t->mount->nodes.lock);
	current = t->open->content == t->content;
	pthread_mutex_unlock(&t->mount->nodes.lock);
	return current;
}

static void thawing_run(struct dfs_job *job, void *local)
{
	struct thawing *t = (struct thawing *)job;
	struct dfs_nodes *nodes = &t->mount->nodes;
	struct dfs_err err = { "" };
	int ret = thawed(t, &err);

	(void)local;
	if (ret < 0 && is_current(t))
		dfs_log_line(t->mount->log, DFS_LOG_ERROR, "%s; what was written to it since is lost", err.text);
	pthread_mutex_lock(&nodes->lock);
	t->content->failed = ret;
	dfs_open_wake(t->mount, t->open);
	pthread_mutex_unlock(&nodes->lock);
	dfs_content_put(t->mount, t->content);
	dfs_open_end(t->mount, t->open, true);
	dfs_reads_end(t->mount);
	free(t);
}

void dfs_open_thawing(struct dfs_mount *mount, struct dfs_open *open, struct dfs_content *content)
{
	struct thawing *t;

	if (atomic_exchange(&content->thawing, true))
		return;
	t = calloc(1, sizeof(*t));
	if (!t) {
		atomic_store(&content->thawing, false); /* who settles tries again */
		return;
	}
	*t = (struct thawing){ .mount = mount, .open = open, .content = content };
	pthread_mutex_lock(&mount->nodes.lock);
	open->handles++;
	open->node->writing++;
	content->refs++;
	pthread_mutex_unlock(&mount->nodes.lock);
	dfs_reads_begin(mount);
	t->wait.job.run = thawing_run;
	dfs_thaw_then(content->thaw, &t->wait, mount->thaws, DFS_URGENT);
}

/* Return: 0 when there is another content, or -errno. */
static int wait_thawed(struct dfs_mount *mount, struct dfs_open *open, struct dfs_content *content, struct dfs_err *err)
{
	int ret;

	dfs_open_thawing(mount, open, content);
	if (!atomic_load(&content->thawing))
		return dfs_fail(err, ENOMEM, "out of memory");
	pthread_mutex_lock(&mount->nodes.lock);
	while (open->content == content && !content->failed)
		pthread_cond_wait(&mount->nodes.settled, &mount->nodes.lock);
	ret = open->content == content ? content->failed : 0;
	pthread_mutex_unlock(&mount->nodes.lock);
	return ret;
}

/* --- pins */

/* Return: whether it is for this thread to do; else another has done it meanwhile, or failed to. */
static bool begin_keeping(struct dfs_mount *mount, struct dfs_open *open, struct dfs_content *content)
{
	bool mine;

	pthread_mutex_lock(&mount->nodes.lock);
	while (open->settling)
		pthread_cond_wait(&mount->nodes.settled, &mount->nodes.lock);
	mine = atomic_load(&content->pinned);
	open->settling = mine;
	pthread_mutex_unlock(&mount->nodes.lock);
	return mine;
}

static int keep_pin(struct dfs_mount *mount, struct dfs_open *open, struct dfs_content *content, struct dfs_err *err)
{
	int ret;

	if (!begin_keeping(mount, open, content))
		return 0;
	ret = dfs_pin_detach(mount->store, dfs_view_fd(content->view), err);
	pthread_mutex_lock(&mount->nodes.lock);
	open->settling = false;
	if (ret == 0)
		atomic_store(&content->pinned, false);
	dfs_open_wake(mount, open);
	pthread_mutex_unlock(&mount->nodes.lock);
	return ret;
}

/* --- any of them */

int dfs_open_arm(struct dfs_mount *mount, struct dfs_open *open, struct dfs_err *err)
{
	struct dfs_content *content = dfs_content_get(mount, open), *fresh = NULL;
	int fd, ret = 0;

	if (!content->thaw && !dfs_content_is_plain(content)) {
		fd = dfs_content_reopen(content, O_RDONLY | O_NOATIME);
		ret = fd < 0 ? fd : dfs_content_new(mount, open->node, fd, true, false, &fresh, err);
	}
	pthread_mutex_lock(&mount->nodes.lock);
	if (fresh && open->content == content) {
		open->content = fresh;
		fresh = content;	/* the open form's reference */
	}
	pthread_mutex_unlock(&mount->nodes.lock);
	dfs_content_put(mount, fresh);
	dfs_content_put(mount, content);
	return ret;
}

static int settle_once(struct dfs_mount *mount, struct dfs_open *open, bool begin,
		       struct dfs_content *content, struct dfs_err *err)
{
	if (atomic_load(&open->copying))
		return dfs_copied_settle(mount, open, err);
	if (begin && !content->thaw && !dfs_content_is_plain(content))
		return dfs_open_arm(mount, open, err);
	if (content->thaw && (begin || dfs_thaw_begun(content->thaw)))
		return wait_thawed(mount, open, content, err);
	if (begin && atomic_load(&content->pinned))
		return keep_pin(mount, open, content, err);
	return 1;
}

int dfs_open_settle(struct dfs_mount *mount, struct dfs_open *open, bool begin,
		    struct dfs_content **ret_content, struct dfs_err *err)
{
	for (;;) {
		struct dfs_content *content = dfs_content_get(mount, open);
		int ret = settle_once(mount, open, begin, content, err);

		if (ret == 1) {
			*ret_content = content;
			return 0;
		}
		dfs_content_put(mount, content);
		if (ret < 0)
			return ret;
	}
}

/* --- containers that are emptied */

static int replace_by_empty(struct dfs_mount *mount, struct dfs_node *node, int old, struct dfs_err *err)
{
	DFS_AUTO(mem) char *name = NULL;
	DFS_AUTO(fd) int tmp = -1;
	struct dfs_look look;
	int ret = dfs_store_tmp(mount->store, &tmp, &name, err);

	if (ret < 0)
		return ret;
	dfs_node_change(&mount->nodes, node);
	dfs_container_touch(mount, old);
	dfs_node_changed(&mount->nodes, node, dfs_look_take(&mount->nodes, old, &look));
	return dfs_replace_plain(mount, node, old, tmp, name, DFS_REPLACES_EMPTIED, err);
}

int dfs_open_empty(struct dfs_mount *mount, struct dfs_node *node, struct dfs_err *err)
{
	struct dfs_open *open = dfs_open_find(mount, node);
	struct dfs_content *content = open ? dfs_content_get(mount, open) : NULL;
	DFS_AUTO(fd) int old = -1;
	int ret = 0;

	if (!open)
		ret = dfs_node_open(&mount->nodes, mount->store, node, O_RDONLY, &old, NULL);
	if (ret == 0)
		ret = replace_by_empty(mount, node, open ? dfs_view_fd(content->view) : old, err);
	if (ret == 0 && open)
		dfs_push_cut(open, 0);
	if (ret == 0 && open && content->thaw)
		dfs_thaw_cancel(content->thaw);
	dfs_content_put(mount, content);
	if (open)
		dfs_open_end(mount, open, false);
	return ret;
}
