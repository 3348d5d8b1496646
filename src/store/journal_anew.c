/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal_anew: a journal's file written anew: the snapshot, what came since, a rename.
 */
#include "store/journal_state.h"

#include <string.h>

#include "util/clock.h"
#include "util/io.h"

int dfs_journal_compact_in_ms(struct dfs_journal *j)
{
	int64_t rest;

	if (j->disabled || j->frozen)
		return -1;
	pthread_mutex_lock(&j->lock);
	rest = j->stale || j->size > j->compact_size ? j->retry_ms - dfs_clock_ms(CLOCK_MONOTONIC) : -1;
	if (rest < 0 && (j->stale || j->size > j->compact_size))
		rest = 0;
	pthread_mutex_unlock(&j->lock);
	return (int)rest;
}

void dfs_journal_snapshot(struct dfs_journal *j)
{
	j->snapshot.len = 0;
	j->snapshot_lost = dfs_journal_line_first(&j->snapshot, j->form) < 0;
	pthread_mutex_lock(&j->lock);
	j->compacting = true;
	j->since.len = 0;
	j->since_lost = false;
	pthread_mutex_unlock(&j->lock);
}

void dfs_journal_snapshot_add(struct dfs_journal *j, const char *const *fields, size_t n)
{
	if (!fields || dfs_journal_line(&j->snapshot, fields, n) == -ENOMEM)
		j->snapshot_lost = true;
}

static int write_snapshot(struct dfs_journal *j, int *ret_fd, char **ret_name, struct dfs_err *err)
{
	int ret;

	if (j->disabled || j->frozen)
		return dfs_fail(err, EROFS, "is left as it is");
	if (j->snapshot_lost)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_store_tmp(j->store, ret_fd, ret_name, err);
	if (ret < 0)
		return ret;
	ret = dfs_write_all(*ret_fd, j->snapshot.data, j->snapshot.len);
	if (ret < 0)
		return dfs_fail(err, -ret, "write: %s", strerror(-ret));
	return fsync(*ret_fd) < 0 ? dfs_fail_errno(err, "fsync") : 0;
}

/* What came since goes behind the snapshot, unsynced as any record, and the file into place. */
static int replace(struct dfs_journal *j, int fd, const char *name, const struct dfs_buf *since, struct dfs_err *err)
{
	int ret = dfs_write_all(fd, since->data, since->len);

	if (ret == 0 && renameat(j->store->fd, name, j->store->fd, j->form->path) < 0)
		ret = -errno;
	return ret < 0 ? dfs_fail(err, -ret, "write anew: %s", strerror(-ret)) : 0;
}

/* Under the lock, by who set writing: the new file is in place, and *fd is it. */
static void settle(struct dfs_journal *j, int *fd, uint64_t size)
{
	int old = j->fd;

	j->fd = *fd;
	*fd = old;
	j->glue = false;
	j->unsynced = true; /* what came while it was written */
	j->size = size;
	j->compact_size = 2 * size > COMPACT_MIN ? 2 * size : COMPACT_MIN;
	j->retry_ms = 0;
}

/* Under the lock, by who set writing: all as before, with what was noted meanwhile. */
static void restore(struct dfs_journal *j, struct dfs_buf *before, bool was_stale)
{
	j->stale |= was_stale;
	if (!j->stale && dfs_buf_append(before, j->out.data, j->out.len) < 0)
		j->stale = true;
	if (j->stale) {
		dfs_journal_be_stale(j);
		return;
	}
	dfs_buf_release(&j->out);
	j->out = *before;
	*before = (struct dfs_buf){ 0 };
	j->retry_ms = dfs_clock_ms(CLOCK_MONOTONIC) + RETRY_MS;
}

/* The last step: with the descriptor in our hands, so that no record falls between the files. */
static int take_over(struct dfs_journal *j, int ret, int *fd, const char *name, struct dfs_err *err)
{
	DFS_AUTO(buf) struct dfs_buf before = { 0 };
	DFS_AUTO(buf) struct dfs_buf since = { 0 };
	bool was_stale;

	pthread_mutex_lock(&j->lock);
	while (j->writing)
		pthread_cond_wait(&j->written, &j->lock);
	j->writing = true;
	before = j->out;
	since = j->since;
	j->out = j->since = (struct dfs_buf){ 0 };
	was_stale = j->stale;
	j->stale = j->compacting = false;
	if (ret == 0 && j->since_lost)
		ret = dfs_fail(err, ENOMEM, "out of memory");
	pthread_mutex_unlock(&j->lock);
	if (ret == 0)
		ret = replace(j, *fd, name, &since, err);
	pthread_mutex_lock(&j->lock);
	if (ret == 0)
		settle(j, fd, j->snapshot.len + since.len);
	else
		restore(j, &before, was_stale);
	j->writing = false;
	pthread_cond_broadcast(&j->written);
	pthread_mutex_unlock(&j->lock);
	return ret;
}

int dfs_journal_compact(struct dfs_journal *j)
{
	DFS_AUTO(fd) int fd = -1;
	DFS_AUTO(mem) char *name = NULL;
	struct dfs_err err = { "" };
	bool told;
	int ret = write_snapshot(j, &fd, &name, &err);

	ret = take_over(j, ret, &fd, name, &err);
	if (ret < 0 && name)
		unlinkat(j->store->fd, name, 0);
	if (ret < 0 && !j->disabled && !j->frozen)
		dfs_journal_tell(j, err.text);
	dfs_journal_flush(j);
	pthread_mutex_lock(&j->lock);
	told = j->told;
	j->told = told && j->stale;
	told = told && !j->stale;
	pthread_mutex_unlock(&j->lock);
	if (told && ret == 0)
		dfs_log_line(j->log, DFS_LOG_NOTICE, "%s/%s: written again", j->store->path, j->form->path);
	return ret;
}
