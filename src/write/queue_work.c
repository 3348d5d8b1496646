/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue_work: whose turn it is, how it ended, and what is in the queue.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"
#include "write/queue_internal.h"

/* A wait without end is one of an hour: nothing depends on it. */
#define WAIT_MAX_MS 3600000

/* Without memory to take a file. */
#define MEMORY_MS 1000

static int64_t monotonic_ms(void *arg)
{
	(void)arg;
	return dfs_clock_ms(CLOCK_MONOTONIC);
}

static void wake_init(pthread_cond_t *wake)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(wake, &attr);
	pthread_condattr_destroy(&attr);
}

int dfs_queue_new(const struct dfs_queue_config *config, struct dfs_queue **ret_queue, struct dfs_err *err)
{
	struct dfs_queue *q = calloc(1, sizeof(*q));
	int ret;

	if (!q)
		return dfs_fail(err, ENOMEM, "out of memory");
	q->config = *config;
	if (!q->config.now_ms)
		q->config.now_ms = monotonic_ms;
	pthread_mutex_init(&q->lock, NULL);
	wake_init(&q->wake);
	ret = dfs_tree_init(&q->tree);
	if (ret < 0)
		dfs_fail(err, -ret, "out of memory");
	else
		ret = dfs_pending_open(config->store, config->log, dfs_queue_replay, q, &q->pending, err);
	if (ret < 0) {
		dfs_queue_free(q);
		return ret;
	}
	*ret_queue = q;
	return 0;
}

void dfs_queue_free(struct dfs_queue *q)
{
	struct dfs_tree_node *root;

	if (!q)
		return;
	dfs_journal_close(q->pending);
	root = &q->tree.root;
	for (struct dfs_tree_node *node = root; node; node = dfs_tree_next(root, node))
		free(node->value);
	dfs_tree_release(&q->tree);
	dfs_due_release(&q->due);
	pthread_cond_destroy(&q->wake);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

/* --- under the lock, to the next line like this */

/* The first of the heap. Return: NULL: out of memory, and put off. */
static struct dfs_queue_item *item_new(struct dfs_queue *q, struct dfs_queue_entry *entry)
{
	struct dfs_queue_item *item = calloc(1, sizeof(*item));

	if (item)
		item->rel = dfs_tree_text(entry->node);
	if (!item || !item->rel) {
		free(item);
		dfs_queue_entry_wait(q, entry, MEMORY_MS);
		return NULL;
	}
	dfs_due_remove(&q->due, &entry->due);
	item->tries = entry->tries;
	item->asked = entry->asked;
	item->entry = entry;
	entry->item = item;
	q->n_in_work++;
	q->n_taken++;
	return item;
}

/* As dfs_queue_try_take(). */
static int take(struct dfs_queue *q, struct dfs_queue_item **ret_item, int64_t *ret_wait_ms)
{
	for (;;) {
		struct dfs_queue_entry *entry = (struct dfs_queue_entry *)dfs_due_first(&q->due);
		struct dfs_queue_item *item;
		int64_t left = entry ? entry->due.at_ms - dfs_queue_now(q) : -1;

		if (atomic_load(&q->stopping))
			return -ESHUTDOWN;
		if (ret_wait_ms)
			*ret_wait_ms = left;
		if (!entry || left > 0)
			return -EAGAIN;
		item = item_new(q, entry);
		if (item) {
			*ret_item = item;
			return 0;
		}
	}
}

static void wait_ms(struct dfs_queue *q, int64_t ms)
{
	struct timespec end = dfs_clock_after(CLOCK_MONOTONIC, ms);

	pthread_cond_timedwait(&q->wake, &q->lock, &end);
}

static int64_t sooner(int64_t a, int64_t b)
{
	if (a < 0)
		return b;
	return b < 0 || a < b ? a : b;
}

/* --- taking it */

/* @ms: -1: as long as it takes */
static int take_within(struct dfs_queue *q, int64_t ms, struct dfs_queue_item **ret_item)
{
	int64_t wait = 0, left = ms, end = monotonic_ms(NULL) + ms, tidy_ms;
	int ret;

	pthread_mutex_lock(&q->lock);
	for (;;) {
		tidy_ms = dfs_queue_tidy_locked(q);
		ret = take(q, ret_item, &wait);
		if (ms >= 0)
			left = end - monotonic_ms(NULL);
		if (ret != -EAGAIN || (ms >= 0 && left <= 0))
			break;
		wait_ms(q, sooner(sooner(sooner(wait, tidy_ms), left), WAIT_MAX_MS));
	}
	pthread_mutex_unlock(&q->lock);
	return ret;
}

int dfs_queue_take(struct dfs_queue *q, struct dfs_queue_item **ret_item)
{
	return take_within(q, -1, ret_item);
}

int dfs_queue_take_within(struct dfs_queue *q, int64_t ms, struct dfs_queue_item **ret_item)
{
	return take_within(q, ms < 0 ? 0 : ms, ret_item);
}

int dfs_queue_try_take(struct dfs_queue *q, struct dfs_queue_item **ret_item, int64_t *ret_wait_ms)
{
	int ret;

	pthread_mutex_lock(&q->lock);
	ret = take(q, ret_item, ret_wait_ms);
	pthread_mutex_unlock(&q->lock);
	return ret;
}

bool dfs_queue_cancelled(const struct dfs_queue *q, const struct dfs_queue_item *item)
{
	return atomic_load(&item->cancelled) || atomic_load(&q->stopping);
}

bool dfs_queue_stopping(const struct dfs_queue *q)
{
	return atomic_load(&q->stopping);
}

uint64_t dfs_queue_changes(const struct dfs_queue *q)
{
	return atomic_load(&q->changes);
}

void dfs_queue_done(struct dfs_queue *q, struct dfs_queue_item *item, enum dfs_queue_end end, unsigned after_ms,
		    const struct dfs_reason *why)
{
	struct dfs_queue_entry *entry;

	pthread_mutex_lock(&q->lock);
	q->n_taken--;
	entry = item->entry;
	if (entry && end == DFS_QUEUE_LATER) {
		entry->tries++;
		if (why)
			entry->why = *why;
		dfs_queue_entry_wait(q, entry, after_ms);
	} else if (entry) {
		dfs_queue_change(q, DFS_PENDING_DONE, item->rel, NULL);
	}
	pthread_mutex_unlock(&q->lock);
	dfs_journal_flush(q->pending);
	free((char *)item->rel);
	free(item);
}

void dfs_queue_stop(struct dfs_queue *q)
{
	pthread_mutex_lock(&q->lock);
	atomic_store(&q->stopping, true);
	pthread_cond_broadcast(&q->wake);
	pthread_mutex_unlock(&q->lock);
}

/* --- asking */

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
		.tries = entry->tries, .bytes = entry->bytes, .why = entry->why,
	};
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
