/* SPDX-License-Identifier: GPL-2.0-or-later */
/* queued: a queue over a store in the current directory, and a clock that stands until a test moves it. */
#ifndef DFS_TESTS_WRITE_QUEUED_H
#define DFS_TESTS_WRITE_QUEUED_H

#include <time.h>

#include "../store/given.h"
#include "write/queue.h"

#define QUIET 5000

struct queued {
	struct dfs_store *store;
	struct dfs_queue *queue;
	struct dfs_queue_item *item;	/* of the last taking */
	unsigned quiet_ms;
	int64_t now;
};

static inline int64_t queued_now(void *arg)
{
	return *(int64_t *)arg;
}

static inline void queued_open(struct queued *q)
{
	struct dfs_queue_config config = { .quiet_ms = q->quiet_ms, .now_ms = queued_now, .now_arg = &q->now };
	struct dfs_err err = { "" };

	config.store = q->store = lock_store(".");
	CHECK_OK(dfs_queue_new(&config, &q->queue, &err), err);
}

/* Over a store without anything pending. */
static inline void queued_new(struct queued *q, unsigned quiet_ms)
{
	*q = (struct queued){ .quiet_ms = quiet_ms, .now = 1000000 };
	unlink(".deltafs/pending");
	queued_open(q);
}

static inline void queued_free(struct queued *q)
{
	dfs_queue_free(q->queue);
	dfs_store_close(q->store);
}

/* A restart: nothing is known but what is on disk. */
static inline void queued_again(struct queued *q)
{
	queued_free(q);
	queued_open(q);
}

static inline void queued_take(struct queued *q, const char *rel)
{
	CHECK_RET(0, dfs_queue_try_take(q->queue, &q->item, NULL));
	assert_string_equal(q->item->rel, rel);
}

static inline void queued_take_and_end(struct queued *q, const char *rel)
{
	queued_take(q, rel);
	dfs_queue_done(q->queue, q->item, DFS_QUEUE_DONE, 0, NULL);
}

struct queued_search {
	const char *rel;	/* NULL: count only */
	struct dfs_queue_view found;
	unsigned n;
};

static inline bool queued_see(void *arg, const struct dfs_queue_view *view)
{
	struct queued_search *search = arg;

	search->n++;
	if (search->rel && strcmp(search->rel, view->rel) == 0)
		search->found = *view;
	return true;
}

/* What dfs_queue_each() says of @rel; its own rel is not valid any more. */
static inline struct dfs_queue_view queued_look(struct queued *q, const char *rel)
{
	struct queued_search search = { .rel = rel };

	CHECK_RET(0, dfs_queue_each(q->queue, rel, queued_see, &search));
	CHECK(search.found.rel);
	return search.found;
}

static inline unsigned queued_count(struct queued *q, const char *rel)
{
	struct queued_search search = { .n = 0 };

	CHECK_RET(0, dfs_queue_each(q->queue, rel, queued_see, &search));
	return search.n;
}

static inline double queued_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

#endif
