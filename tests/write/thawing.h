/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * thawing: a store, a container of a fine-tune in memory, and what is needed
 * to thaw it, for tests of thaw.
 */
#ifndef DFS_TESTS_THAWING_H
#define DFS_TESTS_THAWING_H

#include <dirent.h>
#include <semaphore.h>
#include <time.h>

#include "../store/given.h"
#include "files.h"
#include "util/pool.h"
#include "write/cover.h"
#include "write/thaw.h"

struct thawing {
	int base_fd, fd;
	uint8_t *old;			/* the file that the container shows */
	size_t len;
	struct dfs_superblock sb;
	struct files_reader reader;
	struct dfs_view *view;
	struct dfs_store *store;	/* the current directory */
	struct dfs_pool *pool;		/* one thread, so that a test can keep it */
	struct dfs_thaw *thaw;
	/* while the pool's thread is kept */
	struct dfs_job keeper;
	sem_t keep;
};

static inline void open_view(struct thawing *t)
{
	struct dfs_err err = { "" };
	int fd = dup(t->fd);

	CHECK(fd >= 0);
	CHECK_OK(dfs_view_open(t->reader.reader, fd, "file", &t->view, &err), err);
}

/* The container of @plain_fd, which is closed. */
static inline void given_container(struct thawing *t, int base_fd, int plain_fd)
{
	struct dfs_pool_config pool = { .threads = 1, .name = "thaw" };
	struct dfs_encode_config config = { .threads = 1 };
	struct dfs_encode_result result;
	struct dfs_model *base = base_fd >= 0 ? files_open_model(base_fd) : NULL;
	struct dfs_err err = { "" };

	*t = (struct thawing){ .base_fd = base_fd, .fd = files_memory("container") };
	config.base = base;
	CHECK_OK(dfs_encode(plain_fd, "file", t->fd, &config, &result, &err), err);
	dfs_model_free(base);
	t->sb = result.sb;
	t->len = files_read(plain_fd, &t->old);
	close(plain_fd);
	t->reader = files_reader_new(base_fd);
	CHECK_OK(dfs_store_open(".", false, &t->store, &err), err);
	CHECK_OK(dfs_store_prepare(t->store, &err), err);
	t->pool = dfs_pool_new(&pool);
	CHECK(t->pool);
	sem_init(&t->keep, 0, 0);
	open_view(t);
}

/* @rows of 1024 BF16: 2 KiB each, and a header, so that nothing is a multiple of anything. */
static inline void given_fine_tune(struct thawing *t, uint64_t rows)
{
	given_container(t, files_model(rows, 1024, files_weight, 5), files_model(rows, 1024, files_tuned, 5));
}

static inline int thaw_new(struct thawing *t, struct dfs_err *err)
{
	struct dfs_thaw_config config = {
		.store = t->store, .pool = t->pool, .view = t->view, .name = "file",
	};

	return dfs_thaw_new(&config, &t->thaw, err);
}

static inline void given_thaw(struct thawing *t)
{
	struct dfs_err err = { "" };

	CHECK_OK(thaw_new(t, &err), err);
}

static inline unsigned temporaries(void)
{
	DFS_AUTO(dir) DIR *dir = opendir(".deltafs/tmp");
	unsigned n = 0;

	CHECK(dir);
	for (struct dirent *entry; (entry = readdir(dir));)
		n += entry->d_name[0] != '.';
	return n;
}

static inline void thaw_gone(struct thawing *t)
{
	dfs_thaw_free(t->thaw);
	t->thaw = NULL;
	assert_int_equal(temporaries(), 0);
}

static inline void thawing_gone(struct thawing *t)
{
	dfs_thaw_free(t->thaw);
	dfs_pool_free(t->pool);
	dfs_view_close(t->view);
	files_reader_free(&t->reader);
	dfs_store_close(t->store);
	sem_destroy(&t->keep);
	if (t->base_fd >= 0)
		close(t->base_fd);
	close(t->fd);
	free(t->old);
}

/* --- holding up the decode */

static inline void keeper_run(struct dfs_job *job, void *local)
{
	struct thawing *t = (struct thawing *)((char *)job - offsetof(struct thawing, keeper));

	(void)local;
	while (sem_wait(&t->keep) < 0)
		;
}

/* Jobs of the pool wait until let_go(). */
static inline void keep(struct thawing *t)
{
	t->keeper.run = keeper_run;
	dfs_pool_submit(t->pool, &t->keeper, DFS_URGENT);
}

static inline void let_go(struct thawing *t)
{
	sem_post(&t->keep);
}

/* --- waiting for it */

struct waiter {
	struct dfs_thaw_wait wait;
	sem_t told;
};

static inline void waiter_run(struct dfs_job *job, void *local)
{
	(void)local;
	sem_post(&((struct waiter *)job)->told);
}

static inline void waiter_init(struct waiter *waiter)
{
	waiter->wait.job.run = waiter_run;
	sem_init(&waiter->told, 0, 0);
}

static inline bool is_told(struct waiter *waiter)
{
	return sem_trywait(&waiter->told) == 0;
}

/* Ends the case if it takes longer than anything here may. */
static inline void wait_told(struct waiter *waiter)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 60;
	while (sem_timedwait(&waiter->told, &end) < 0)
		CHECK(errno == EINTR);
}

/* Return: the result, once there is one. */
static inline int finish(struct thawing *t, struct dfs_err *err)
{
	struct waiter waiter;

	waiter_init(&waiter);
	dfs_thaw_then(t->thaw, &waiter.wait, t->pool, DFS_AHEAD);
	wait_told(&waiter);
	sem_destroy(&waiter.told);
	return dfs_thaw_result(t->thaw, err);
}

/* --- what there is to see */

/* The temporary holds just these bytes. */
static inline void check_file(struct thawing *t, const uint8_t *want, size_t len)
{
	uint8_t *got;

	assert_int_equal(files_read(dfs_thaw_fd(t->thaw), &got), len);
	CHECK_BYTES(got, want, len);
	free(got);
}

/* A read through the thaw, as a mount makes it: from where it says. */
static inline int thaw_read(struct thawing *t, void *buf, size_t len, uint64_t off, size_t *ret_len, struct dfs_err *err)
{
	ssize_t n;

	switch (dfs_thaw_where(t->thaw, off, len)) {
	case DFS_THAW_OLD:
		return dfs_view_read(t->view, off, len, buf, ret_len, err);
	case DFS_THAW_NEW:
		n = dfs_pread_some(dfs_thaw_fd(t->thaw), buf, len, off);
		*ret_len = n < 0 ? 0 : (size_t)n;
		return n < 0 ? (int)n : 0;
	default:
		return dfs_thaw_read_mixed(t->thaw, buf, len, off, ret_len, err);
	}
}

#endif
