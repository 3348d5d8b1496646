/* SPDX-License-Identifier: GPL-2.0-or-later */
/* thaw_step: a window of old bytes is decoded and put where nothing was written. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/auto.h"
#include "write/thaw_state.h"

/* The next old bytes that are needed. Return: false if none are, or it was cancelled. */
static bool window_next(struct dfs_thaw *thaw, uint64_t *ret_off, uint64_t *ret_end)
{
	uint64_t off, end;
	bool more;

	pthread_mutex_lock(&thaw->lock);
	off = thaw->cursor = dfs_cover_missing(&thaw->cover, thaw->cursor, thaw->old_size);
	end = off - off % DFS_THAW_WINDOW + DFS_THAW_WINDOW;
	if (end > thaw->old_size)
		end = thaw->old_size;
	more = thaw->state == DFS_THAW_RUNNING && dfs_cover_gaps(&thaw->cover, off, end, ret_off, ret_end);
	pthread_mutex_unlock(&thaw->lock);
	return more;
}

/* In a decode thread, or in the one that submitted. */
static void window_done(struct dfs_read *read, int ret, const struct iovec *iov, int n, const struct dfs_err *err)
{
	struct dfs_thaw *thaw = (struct dfs_thaw *)((char *)read - offsetof(struct dfs_thaw, read));
	struct dfs_err shorter;
	size_t got = 0;

	for (int i = 0; i < n; i++) {
		memcpy(thaw->window + got, iov[i].iov_base, iov[i].iov_len);
		got += iov[i].iov_len;
	}
	if (ret == 0 && got < read->len) {
		ret = dfs_fail(&shorter, ESTALE, "%s: became shorter while it was read", thaw->name);
		err = &shorter;
	}
	pthread_mutex_lock(&thaw->lock);
	thaw->over = true;
	thaw->read_ret = ret;
	if (ret < 0)
		thaw->read_err = *err;
	pthread_cond_broadcast(&thaw->changed);
	dfs_thaw_unref(thaw);
}

/*
 * Unlike dfs_view_read(), which knows no cancel and uses the view to its end.
 * Return: 0; -ECANCELED: the window is the read's from now on; its errors.
 */
static int window_read(struct dfs_thaw *thaw, uint64_t off, uint64_t end, struct dfs_err *err)
{
	int ret;

	pthread_mutex_lock(&thaw->lock);
	if (thaw->state != DFS_THAW_RUNNING) {
		pthread_mutex_unlock(&thaw->lock);
		return -ECANCELED;
	}
	thaw->read = (struct dfs_read){ .off = off, .len = end - off, .done = window_done };
	thaw->over = false;
	thaw->submitting = true;
	thaw->refs++;
	pthread_mutex_unlock(&thaw->lock);
	dfs_view_submit(thaw->view, &thaw->read);
	pthread_mutex_lock(&thaw->lock);
	thaw->submitting = false;
	pthread_cond_broadcast(&thaw->changed);
	while (!thaw->over && thaw->state == DFS_THAW_RUNNING)
		pthread_cond_wait(&thaw->changed, &thaw->lock);
	ret = thaw->over ? thaw->read_ret : -ECANCELED;
	if (thaw->over && ret < 0)
		*err = thaw->read_err;
	pthread_mutex_unlock(&thaw->lock);
	return ret;
}

/* Return: 1: there is more to do; 0: all is there, or it was cancelled; a failure. */
static int step(struct dfs_thaw *thaw, struct dfs_err *err)
{
	uint64_t off, end;
	int ret;

	if (!window_next(thaw, &off, &end))
		return 0;
	if (!thaw->window)
		thaw->window = malloc(DFS_THAW_WINDOW);
	if (!thaw->window)
		return dfs_fail(err, ENOMEM, "%s: out of memory", thaw->name);
	ret = window_read(thaw, off, end, err);
	if (ret == 0)
		ret = dfs_thaw_put_old(thaw, off, end, thaw->window, err);
	return ret < 0 ? ret : 1;
}

/* Between two windows others have their turn, and the buffer is let go of: many may be under way. */
void dfs_thaw_run(struct dfs_job *job, void *local)
{
	struct dfs_thaw *thaw = (struct dfs_thaw *)((char *)job - offsetof(struct dfs_thaw, job));
	struct dfs_err err = { "" };
	int ret = step(thaw, &err);

	(void)local;
	pthread_mutex_lock(&thaw->lock);
	if (thaw->over || ret >= 0) {
		free(thaw->window);
		thaw->window = NULL;
	}
	if (ret > 0 && thaw->state == DFS_THAW_RUNNING) {
		dfs_pool_submit(thaw->pool, &thaw->job, DFS_URGENT);
		pthread_mutex_unlock(&thaw->lock);
		return;
	}
	dfs_thaw_end(thaw, ret, &err);
	dfs_thaw_unref(thaw);
}
