/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keeper_search: what is not where it was is looked for in the whole store. See keeper.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/walk.h"
#include "util/clock.h"
#include "write/keeper_internal.h"

/* Walks that must have missed a file before it is taken to be gone. */
#define MISSES 2
/* A walk in so many times its own time. */
#define SEARCH_SHARE 20
/* Who moves a file says so just after. */
#define SETTLE_MS 200

struct search {
	struct dfs_keeper *k;
	struct dfs_keeper_astray *astray;
	size_t n;
	bool incomplete;
};

static void found(struct dfs_keeper *k, struct dfs_keeper_astray *a, const char *path)
{
	char *copy = strdup(path);
	struct dfs_keeper_entry *e;

	a->found = true;
	pthread_mutex_lock(&k->lock);
	e = dfs_keeper_entry_of(k, a->id);
	if (e && copy) {
		free(e->kept.path);
		e->kept.path = dfs_steal(&copy);
		e->moved = true;
		e->missed = 0;
	}
	pthread_mutex_unlock(&k->lock);
	free(copy);
}

static int visit(void *arg, const struct dfs_walk_file *file)
{
	struct search *s = arg;
	struct dfs_file_id id = { 0 };

	if (dfs_keeper_ended(s->k))
		return -ECANCELED;
	for (size_t i = 0; i < s->n; i++) {
		struct dfs_keeper_astray *a = &s->astray[i];

		if (a->found)
			continue;
		if (!id.ino && dfs_file_id_of(file->fd, &id) < 0) {
			s->incomplete = true;
			return 0;
		}
		/* Its own name, elsewhere: nothing ever took it. The next look lets go of the link. */
		if (dfs_kept_is_for(&a->kept, &id) || dfs_file_id_same(&a->kept.original, &id))
			found(s->k, a, file->path);
	}
	return 0;
}

static void fail(void *arg, const char *path, int ret, const char *why)
{
	struct search *s = arg;

	(void)path, (void)ret, (void)why;
	s->incomplete = true;
}

/* Nowhere: once is no proof, since a file that moves behind the mount may be passed by. */
static void missed(struct dfs_keeper *k, const struct dfs_keeper_astray *a)
{
	struct dfs_keeper_entry *e;

	pthread_mutex_lock(&k->lock);
	e = dfs_keeper_entry_of(k, a->id);
	if (e) {
		e->removed += ++e->missed >= MISSES;
		k->hurry |= e->removed > 0;
	}
	pthread_mutex_unlock(&k->lock);
}

static uint64_t moves(struct dfs_keeper *k)
{
	uint64_t n;

	pthread_mutex_lock(&k->lock);
	n = k->moves;
	pthread_mutex_unlock(&k->lock);
	return n;
}

/* What went before a crash nobody knows of any more: the first walks come one after the other. */
static void search_again_soon(struct dfs_keeper *k)
{
	if (k->searched == MISSES || ++k->searched == MISSES)
		return;
	k->search_ms = 0;
	pthread_mutex_lock(&k->lock);
	k->hurry = true;
	pthread_mutex_unlock(&k->lock);
}

void dfs_keeper_search(struct dfs_keeper *k, struct dfs_keeper_astray *astray, size_t n)
{
	static const struct dfs_walk_ops ops = { visit, fail };
	struct search s = { .k = k, .astray = astray, .n = n };
	const struct timespec settle = { 0, SETTLE_MS * 1000000 };
	int64_t start = dfs_clock_ms(CLOCK_MONOTONIC), took;
	uint64_t before = moves(k);
	int ret = dfs_walk(dfs_store_fd(k->config.store), "", &ops, &s, NULL);

	took = dfs_clock_ms(CLOCK_MONOTONIC) - start;
	k->search_ms = start + took + (SEARCH_SHARE * took > k->config.search_ms ? SEARCH_SHARE * took : k->config.search_ms);
	nanosleep(&settle, NULL);
	if (ret < 0 || s.incomplete || moves(k) != before)
		return;
	for (size_t i = 0; i < n; i++)
		if (!astray[i].found)
			missed(k, &astray[i]);
	search_again_soon(k);
}
