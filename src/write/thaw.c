/* SPDX-License-Identifier: GPL-2.0-or-later */
/* thaw: from the reservation to the finished file, or to nothing. */
#include "write/thaw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "util/auto.h"
#include "write/thaw_state.h"

DFS_AUTO_KIND(thaw, struct dfs_thaw *, dfs_thaw_free(*p));

/* --- beginning */

/* For file systems that cannot promise room. */
static int make_room_up(int fd, uint64_t size)
{
	struct statvfs vfs;
	uint64_t unit;

	if (fstatvfs(fd, &vfs) < 0)
		return -errno;
	unit = vfs.f_frsize ? vfs.f_frsize : vfs.f_bsize;
	if (unit && size / unit >= vfs.f_bavail)
		return -ENOSPC;
	return ftruncate(fd, (off_t)size) < 0 ? -errno : 0;
}

static int reserve(int fd, uint64_t size)
{
	int ret;

	if (size == 0)
		return 0;
	if (size > INT64_MAX)
		return -EFBIG;
	do
		ret = fallocate(fd, 0, 0, (off_t)size);
	while (ret < 0 && errno == EINTR);
	if (ret == 0)
		return 0;
	return errno == EOPNOTSUPP || errno == ENOSYS ? make_room_up(fd, size) : -errno;
}

static struct dfs_thaw *thaw_alloc(const struct dfs_thaw_config *config)
{
	struct dfs_thaw *thaw = calloc(1, sizeof(*thaw));

	if (!thaw)
		return NULL;
	thaw->store = config->store;
	thaw->pool = config->pool;
	thaw->view = config->view;
	thaw->name = strdup(config->name);
	thaw->fd = -1;
	thaw->old_size = thaw->size = dfs_view_size(config->view);
	thaw->refs = 1;
	thaw->last_wait = &thaw->waits;
	thaw->job.run = dfs_thaw_run;
	pthread_mutex_init(&thaw->lock, NULL);
	pthread_cond_init(&thaw->changed, NULL);
	return thaw;
}

int dfs_thaw_new(const struct dfs_thaw_config *config, struct dfs_thaw **ret_thaw, struct dfs_err *err)
{
	DFS_AUTO(thaw) struct dfs_thaw *thaw = thaw_alloc(config);
	int ret;

	if (!thaw || !thaw->name)
		return dfs_fail(err, ENOMEM, "%s: out of memory", config->name);
	ret = dfs_store_tmp(thaw->store, &thaw->fd, &thaw->tmp_name, err);
	if (ret < 0)
		return dfs_err_at(err, ret, "%s", thaw->name);
	ret = reserve(thaw->fd, thaw->old_size);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s: no room for its %llu bytes uncompressed: %s", thaw->name,
				(unsigned long long)thaw->old_size, strerror(-ret));
	if (dfs_cover_init(&thaw->cover, thaw->old_size) < 0)
		return dfs_fail(err, ENOMEM, "%s: out of memory", thaw->name);
	*ret_thaw = dfs_steal(&thaw);
	return 0;
}

void dfs_thaw_start(struct dfs_thaw *thaw)
{
	if (thaw->state != DFS_THAW_IDLE)
		return;
	thaw->state = DFS_THAW_RUNNING;
	thaw->refs++;
	dfs_pool_submit(thaw->pool, &thaw->job, DFS_URGENT);
}

void dfs_thaw_begin(struct dfs_thaw *thaw)
{
	pthread_mutex_lock(&thaw->lock);
	dfs_thaw_start(thaw);
	pthread_mutex_unlock(&thaw->lock);
}

bool dfs_thaw_begun(struct dfs_thaw *thaw)
{
	bool begun;

	pthread_mutex_lock(&thaw->lock);
	begun = thaw->state != DFS_THAW_IDLE;
	pthread_mutex_unlock(&thaw->lock);
	return begun;
}

/* --- ending */

/* Under the lock. Once submitted, a wait may be gone. */
static void wake(struct dfs_thaw *thaw)
{
	struct dfs_thaw_wait *next;

	for (struct dfs_thaw_wait *wait = thaw->waits; wait; wait = next) {
		next = wait->next;
		dfs_pool_submit(wait->pool, &wait->job, wait->urgency);
	}
	thaw->waits = NULL;
	thaw->last_wait = &thaw->waits;
	pthread_cond_broadcast(&thaw->changed);
}

void dfs_thaw_end(struct dfs_thaw *thaw, int ret, const struct dfs_err *err)
{
	if (thaw->state != DFS_THAW_IDLE && thaw->state != DFS_THAW_RUNNING)
		return;
	thaw->state = ret < 0 ? DFS_THAW_FAILED : DFS_THAW_COMPLETE;
	if (ret < 0) {
		thaw->ret = ret;
		thaw->err = *err;
	}
	wake(thaw);
}

void dfs_thaw_cancel(struct dfs_thaw *thaw)
{
	struct dfs_err err;
	int ret = dfs_fail(&err, ECANCELED, "%s: was cancelled while it became plain", thaw->name);

	pthread_mutex_lock(&thaw->lock);
	dfs_thaw_end(thaw, ret, &err);
	pthread_mutex_unlock(&thaw->lock);
}

void dfs_thaw_unref(struct dfs_thaw *thaw)
{
	bool last = --thaw->refs == 0;

	pthread_mutex_unlock(&thaw->lock);
	if (!last)
		return;
	pthread_cond_destroy(&thaw->changed);
	pthread_mutex_destroy(&thaw->lock);
	if (thaw->fd >= 0)
		close(thaw->fd);
	dfs_cover_release(&thaw->cover);
	free(thaw->window);
	free(thaw->name);
	free(thaw);
}

/* The descriptor is closed at once, for its room, unless old bytes are on their way into it: then by their thread. */
void dfs_thaw_free(struct dfs_thaw *thaw)
{
	int fd = -1;

	if (!thaw)
		return;
	dfs_thaw_cancel(thaw);
	pthread_mutex_lock(&thaw->lock);
	while (thaw->submitting)
		pthread_cond_wait(&thaw->changed, &thaw->lock);
	if (!thaw->turns)
		fd = dfs_steal_fd(&thaw->fd);
	pthread_mutex_unlock(&thaw->lock);
	if (thaw->tmp_name)
		unlinkat(dfs_store_fd(thaw->store), thaw->tmp_name, 0);
	free(thaw->tmp_name);
	if (fd >= 0)
		close(fd);
	pthread_mutex_lock(&thaw->lock);
	dfs_thaw_unref(thaw);
}

uint64_t dfs_thaw_done(struct dfs_thaw *thaw)
{
	uint64_t done;

	pthread_mutex_lock(&thaw->lock);
	done = thaw->cursor;
	pthread_mutex_unlock(&thaw->lock);
	return done;
}

/* --- who waits, and for what */

void dfs_thaw_then(struct dfs_thaw *thaw, struct dfs_thaw_wait *wait, struct dfs_pool *pool,
		   enum dfs_urgency urgency)
{
	wait->pool = pool;
	wait->urgency = urgency;
	wait->next = NULL;
	pthread_mutex_lock(&thaw->lock);
	*thaw->last_wait = wait;
	thaw->last_wait = &wait->next;
	if (thaw->state == DFS_THAW_COMPLETE || thaw->state == DFS_THAW_FAILED)
		wake(thaw);
	else
		dfs_thaw_start(thaw);
	pthread_mutex_unlock(&thaw->lock);
}

int dfs_thaw_result(struct dfs_thaw *thaw, struct dfs_err *err)
{
	static const int results[] = {
		[DFS_THAW_IDLE] = -EINPROGRESS,
		[DFS_THAW_RUNNING] = -EINPROGRESS,
		[DFS_THAW_COMPLETE] = 0,
	};
	int ret;

	pthread_mutex_lock(&thaw->lock);
	ret = thaw->state == DFS_THAW_FAILED ? thaw->ret : results[thaw->state];
	if (thaw->state == DFS_THAW_FAILED && err)
		*err = thaw->err;
	pthread_mutex_unlock(&thaw->lock);
	if (ret == -EINPROGRESS)
		return dfs_fail(err, EINPROGRESS, "%s: is not plain yet", thaw->name);
	return ret;
}

int dfs_thaw_take(struct dfs_thaw *thaw, int *ret_fd, char **ret_tmp_name, struct dfs_err *err)
{
	int ret = dfs_thaw_result(thaw, err);
	DFS_AUTO(fd) int fd = -1;
	char *name;

	if (ret < 0)
		return ret;
	fd = fcntl(thaw->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return dfs_fail_errno(err, "%s: dup", thaw->name);
	pthread_mutex_lock(&thaw->lock);
	name = dfs_steal(&thaw->tmp_name);
	pthread_mutex_unlock(&thaw->lock);
	if (!name)
		return dfs_fail(err, EINVAL, "%s: its plain file was taken already", thaw->name);
	*ret_fd = dfs_steal_fd(&fd);
	*ret_tmp_name = name;
	return 0;
}
