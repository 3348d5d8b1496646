/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue_ask: what is in the queue, and how big it is.
 */
#include <errno.h>
#include <stdlib.h>

#include "write/queue_internal.h"

void dfs_queue_sized(struct dfs_queue *q, const char *rel, uint64_t bytes)
{
	struct dfs_tree_node *node;
	struct dfs_queue_entry *entry;

	pthread_mutex_lock(&q->lock);
	node = dfs_tree_find(&q->tree, rel);
	entry = node ? node->value : NULL;
	if (entry) {
		q->bytes += bytes - entry->bytes;
		entry->bytes = bytes;
	}
	pthread_mutex_unlock(&q->lock);
}

void dfs_queue_stats(struct dfs_queue *q, struct dfs_queue_stats *ret_stats)
{
	pthread_mutex_lock(&q->lock);
	*ret_stats = (struct dfs_queue_stats){
		.n = {
			[DFS_QUEUE_OPEN] = q->n - q->due.n - q->n_in_work,
			[DFS_QUEUE_WAITING] = q->due.n,
			[DFS_QUEUE_IN_WORK] = q->n_in_work,
		},
		.bytes = q->bytes,
		.n_taken = q->n_taken,
	};
	pthread_mutex_unlock(&q->lock);
}

bool dfs_queue_settled(struct dfs_queue *q, const char *rel)
{
	bool settled;

	pthread_mutex_lock(&q->lock);
	settled = q->n == 0 || !dfs_tree_find(&q->tree, rel);
	pthread_mutex_unlock(&q->lock);
	return settled;
}

/* Under the lock. */
static enum dfs_queue_state state_of(const struct dfs_queue_entry *entry)
{
	if (entry->item)
		return DFS_QUEUE_IN_WORK;
	return entry->due.place ? DFS_QUEUE_WAITING : DFS_QUEUE_OPEN;
}

void dfs_queue_below(struct dfs_queue *q, const char *rel, struct dfs_queue_stats *ret_stats)
{
	struct dfs_tree_node *top;

	*ret_stats = (struct dfs_queue_stats){ 0 };
	pthread_mutex_lock(&q->lock);
	top = dfs_tree_find(&q->tree, rel);
	for (struct dfs_tree_node *node = top; node; node = dfs_tree_next(top, node)) {
		const struct dfs_queue_entry *entry = node->value;

		if (!entry)
			continue;
		ret_stats->n[state_of(entry)]++;
		ret_stats->bytes += entry->bytes;
	}
	ret_stats->n_taken = q->n_taken;
	pthread_mutex_unlock(&q->lock);
}

/* Under the lock. */
static void describe(struct dfs_queue *q, const struct dfs_queue_entry *entry, struct dfs_queue_view *ret_view)
{
	enum dfs_queue_state state = state_of(entry);
	int64_t left = state == DFS_QUEUE_WAITING ? entry->due.at_ms - dfs_queue_now(q) : 0;

	*ret_view = (struct dfs_queue_view){
		.rel = dfs_tree_text(entry->node), .state = state, .left_ms = left > 0 ? left : 0,
		.tries = entry->tries, .asked = entry->asked, .bytes = entry->bytes, .why = entry->why,
	};
	if (state == DFS_QUEUE_OPEN)
		dfs_reason_set(&ret_view->why, DFS_REASON_OPEN, (uint64_t)entry->opener, NULL);
}

static void views_free(struct dfs_queue_view *views, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((char *)views[i].rel);
	free(views);
}

/* Under the lock. Return: 0; -ENOMEM. */
static int look(struct dfs_queue *q, const char *rel, struct dfs_queue_view **ret_views, size_t *ret_n)
{
	struct dfs_tree_node *top = dfs_tree_find(&q->tree, rel);
	struct dfs_queue_view *views = calloc(q->n + 1, sizeof(*views));
	bool complete = views != NULL;
	size_t n = 0;

	for (struct dfs_tree_node *node = top; node && complete; node = dfs_tree_next(top, node)) {
		if (!node->value)
			continue;
		describe(q, node->value, &views[n]);
		complete = views[n++].rel != NULL;
	}
	if (!complete) {
		views_free(views, n);
		return -ENOMEM;
	}
	*ret_views = views;
	*ret_n = n;
	return 0;
}

int dfs_queue_each(struct dfs_queue *q, const char *rel,
		   bool (*each)(void *arg, const struct dfs_queue_view *view), void *arg)
{
	struct dfs_queue_view *views;
	size_t n;
	int ret;

	pthread_mutex_lock(&q->lock);
	ret = look(q, rel, &views, &n);
	pthread_mutex_unlock(&q->lock);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < n && each(arg, &views[i]); i++)
		;
	views_free(views, n);
	return 0;
}

/* Written within the quiet period, though it is due already, to be looked at for its policy. */
static bool is_fresh(struct dfs_queue *q, const struct dfs_queue_entry *entry)
{
	return !entry->tries && !entry->asked && dfs_queue_now(q) - entry->since_ms < (int64_t)q->config.quiet_ms;
}

bool dfs_queue_unfinished(struct dfs_queue *q, const char *rel)
{
	struct dfs_tree_node *node;
	const struct dfs_queue_entry *entry;
	bool unfinished = false;

	pthread_mutex_lock(&q->lock);
	node = dfs_tree_find(&q->tree, rel);
	entry = node ? node->value : NULL;
	if (entry && state_of(entry) == DFS_QUEUE_OPEN)
		unfinished = true;
	else if (entry && state_of(entry) == DFS_QUEUE_WAITING && (entry->due.at_ms > dfs_queue_now(q) || is_fresh(q, entry)))
		unfinished = entry->why.id == DFS_REASON_NONE || entry->why.id == DFS_REASON_OPEN ||
			     entry->why.id == DFS_REASON_QUIET || entry->why.id == DFS_REASON_ARIA2;
	pthread_mutex_unlock(&q->lock);
	return unfinished;
}
