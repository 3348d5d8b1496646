/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue_work: whose turn it is, and how it ended.
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

/* A name that is being moved will have been by then. */
#define MOVING_MS 10

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
	q->quiet_ms = config->quiet_ms;
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
	item->age_ms = dfs_queue_now(q) - entry->since_ms;
	item->wish = entry->wish;
	item->wish.codec = entry->wish.codec ? strdup(entry->wish.codec) : NULL;
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
		if (entry->why.id == DFS_REASON_OPEN && !entry->why.number)
			entry->why.number = (uint64_t)entry->opener;
		dfs_queue_entry_wait(q, entry, after_ms);
	} else if (entry && end == DFS_QUEUE_EARLY) {
		dfs_queue_entry_wait(q, entry, after_ms);
	} else if (entry && end == DFS_QUEUE_STAYS && q->moving) {
		/* What was looked for at its old path, perhaps in vain, may be at a new one that is told in a moment. */
		dfs_queue_entry_wait(q, entry, MOVING_MS);
	} else if (entry) {
		dfs_queue_change(q, DFS_PENDING_DONE, item->rel, NULL);
	}
	pthread_mutex_unlock(&q->lock);
	dfs_journal_flush(q->pending);
	free((char *)item->rel);
	free((char *)item->wish.codec);
	free(item);
}

void dfs_queue_look(struct dfs_queue *q, const char *rel)
{
	struct dfs_tree_node *top;

	pthread_mutex_lock(&q->lock);
	top = dfs_tree_find(&q->tree, rel);
	for (struct dfs_tree_node *node = top; node; node = dfs_tree_next(top, node)) {
		struct dfs_queue_entry *entry = node->value;

		if (entry && entry->due.place && !entry->tries)
			dfs_queue_entry_wait(q, entry, 0);
	}
	pthread_mutex_unlock(&q->lock);
}

void dfs_queue_hurry(struct dfs_queue *q, const char *rel, enum dfs_reason_id id)
{
	struct dfs_tree_node *node;
	struct dfs_queue_entry *entry;

	pthread_mutex_lock(&q->lock);
	node = dfs_tree_find(&q->tree, rel);
	entry = node ? node->value : NULL;
	if (entry && entry->due.place && entry->why.id == id)
		dfs_queue_entry_wait(q, entry, 0);
	pthread_mutex_unlock(&q->lock);
}

void dfs_queue_stop(struct dfs_queue *q)
{
	pthread_mutex_lock(&q->lock);
	atomic_store(&q->stopping, true);
	pthread_cond_broadcast(&q->wake);
	pthread_mutex_unlock(&q->lock);
}
