/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue: see queue.h. Here: what happens to files, and work on them.
 *
 * Each change is made to the tree and noted under one lock, so that the notes
 * have its order; the notes are written after the lock is let go.
 */
#include "write/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"
#include "write/queue_internal.h"

/* --- under the lock, to the next line like this */

/* Out of work, if it is in it: what its item ends with does not count. */
static void entry_cancel(struct dfs_queue *q, struct dfs_queue_entry *entry)
{
	if (!entry->item)
		return;
	atomic_store(&entry->item->cancelled, true);
	entry->item->entry = NULL;
	entry->item = NULL;
	q->n_in_work--;
}

void dfs_queue_entry_wait(struct dfs_queue *q, struct dfs_queue_entry *entry, int64_t ms)
{
	entry_cancel(q, entry);
	dfs_due_put(&q->due, &entry->due, dfs_queue_now(q) + ms);
	if (dfs_due_first(&q->due) == &entry->due)
		pthread_cond_signal(&q->wake);
}

/* It was changed: whatever was known of it is of the past. */
static void entry_forget(struct dfs_queue *q, struct dfs_queue_entry *entry)
{
	entry->since_ms = dfs_queue_now(q);
	entry->tries = 0;
	entry->asked = false;
	entry->opener = 0;
	entry->why.id = DFS_REASON_NONE;
}

void dfs_queue_entry_renew(struct dfs_queue *q, struct dfs_queue_entry *entry, int64_t ms)
{
	entry_forget(q, entry);
	dfs_queue_entry_wait(q, entry, ms);
}

static void entry_open(struct dfs_queue *q, struct dfs_queue_entry *entry)
{
	entry_forget(q, entry);
	entry_cancel(q, entry);
	dfs_due_remove(&q->due, &entry->due);
}

/* The node stays, for who prunes it. */
static void entry_free(struct dfs_queue *q, struct dfs_queue_entry *entry)
{
	entry_cancel(q, entry);
	dfs_due_remove(&q->due, &entry->due);
	entry->node->value = NULL;
	q->bytes -= entry->bytes;
	q->n--;
	free((char *)entry->wish.codec);
	free(entry);
}

/* @ret_fresh: it was not there, and is neither waiting nor in work yet. Return: NULL: out of memory, and forgotten. */
static struct dfs_queue_entry *entry_get(struct dfs_queue *q, const char *rel, bool *ret_fresh)
{
	struct dfs_tree_node *node = dfs_tree_make(&q->tree, rel);
	struct dfs_queue_entry *entry = node ? node->value : NULL;

	*ret_fresh = !entry;
	if (entry)
		entry->told = ++q->told;
	if (entry)
		return entry;
	if (node && dfs_due_reserve(&q->due, q->n + 1) == 0)
		entry = calloc(1, sizeof(*entry));
	if (!entry) {
		if (node)
			dfs_tree_prune(&q->tree, node);
		q->forgot = true;
		return NULL;
	}
	entry->node = node;
	entry->told = ++q->told;
	node->value = entry;
	q->n++;
	return entry;
}

bool dfs_queue_drop(struct dfs_queue *q, const char *rel)
{
	struct dfs_tree_node *top = dfs_tree_find(&q->tree, rel), *node = top, *leaf;

	while (node) {
		/* the leaf goes, and all above it that hold nothing else: top is gone when the last has */
		for (leaf = node; leaf->child; leaf = leaf->child)
			;
		if (leaf->value)
			entry_free(q, leaf->value);
		dfs_tree_prune(&q->tree, leaf);
		node = dfs_tree_find(&q->tree, rel);
		if (node == &q->tree.root && !node->child)
			node = NULL;
	}
	return top != NULL;
}

/* What happens to the tree, live and from disk alike. Each returns whether it is worth a record. */

static bool add(struct dfs_queue *q, const char *rel, const char *to)
{
	bool fresh;
	struct dfs_queue_entry *entry = entry_get(q, rel, &fresh);

	(void)to;
	if (entry)
		dfs_queue_entry_renew(q, entry, q->quiet_ms);
	return entry && fresh;
}

static bool forget(struct dfs_queue *q, const char *rel, const char *to)
{
	struct dfs_tree_node *node = dfs_tree_find(&q->tree, rel);

	(void)to;
	if (!node || !node->value)
		return false;
	entry_free(q, node->value);
	dfs_tree_prune(&q->tree, node);
	return true;
}

static bool drop_one(struct dfs_queue *q, const char *rel, const char *to)
{
	(void)to;
	return dfs_queue_drop(q, rel);
}

static bool (*const changes[DFS_PENDING_KINDS])(struct dfs_queue *q, const char *rel, const char *to) = {
	[DFS_PENDING_ADD] = add,
	[DFS_PENDING_DONE] = forget,
	[DFS_PENDING_DROP] = drop_one,
	[DFS_PENDING_MOVE] = dfs_queue_move,
	[DFS_PENDING_EXCHANGE] = dfs_queue_exchange,
};

void dfs_queue_change(struct dfs_queue *q, enum dfs_pending_kind kind, const char *rel, const char *to)
{
	if (changes[kind](q, rel, to))
		dfs_pending_note(q->pending, kind, rel, to);
}

/* --- taking it */

void dfs_queue_replay(void *arg, enum dfs_pending_kind kind, const char *rel, const char *to)
{
	changes[kind](arg, rel, to);
}

void dfs_queue_begin(struct dfs_queue *q)
{
	pthread_mutex_lock(&q->lock);
}

void dfs_queue_end(struct dfs_queue *q, const char *rel)
{
	bool forgot = q->forgot;

	q->forgot = false;
	pthread_mutex_unlock(&q->lock);
	dfs_journal_flush(q->pending);
	if (forgot)
		dfs_log_line(q->config.log, DFS_LOG_WARNING,
			     "%s: out of memory; it is not compressed unless it is written again", rel);
}

static void change(struct dfs_queue *q, enum dfs_pending_kind kind, const char *rel, const char *to)
{
	dfs_queue_begin(q);
	dfs_queue_change(q, kind, rel, to);
	dfs_queue_end(q, rel);
}

void dfs_queue_written(struct dfs_queue *q, const char *rel)
{
	change(q, DFS_PENDING_ADD, rel, NULL);
}

void dfs_queue_copied(struct dfs_queue *q)
{
	atomic_fetch_add(&q->changes, 1);
}

/* The file whose download aria2 kept account of in @rel has ended it. */
static void aria2_ended(struct dfs_queue *q, const char *rel)
{
	static const char suffix[] = ".aria2";
	struct dfs_tree_node *node = NULL;
	char *stem;

	if (!dfs_text_ends(rel, suffix))
		return;
	stem = strndup(rel, strlen(rel) - strlen(suffix));
	if (stem)
		node = dfs_tree_find(&q->tree, stem);
	if (node && node->value && ((struct dfs_queue_entry *)node->value)->due.place)
		dfs_queue_entry_renew(q, node->value, q->quiet_ms);
	free(stem);
}

void dfs_queue_removed(struct dfs_queue *q, const char *rel)
{
	atomic_fetch_add(&q->changes, 1);
	dfs_queue_begin(q);
	dfs_queue_change(q, DFS_PENDING_DROP, rel, NULL);
	aria2_ended(q, rel);
	dfs_queue_end(q, rel);
}

/* Without memory for its codec a file is coded exactly. */
static void entry_wish(struct dfs_queue_entry *entry, const struct dfs_queue_wish *wish)
{
	free((char *)entry->wish.codec);
	if (wish)
		entry->wish = *wish;
	entry->wish.codec = wish && wish->codec ? strdup(wish->codec) : NULL;
}

/* @wish: NULL: leave the base, if one is wished for */
static void put(struct dfs_queue *q, const char *rel, int64_t ms, const struct dfs_queue_wish *wish)
{
	struct dfs_queue_entry *entry;
	bool fresh;

	dfs_queue_begin(q);
	entry = entry_get(q, rel, &fresh);
	if (entry && ms < 0)
		entry_open(q, entry);
	else if (entry)
		dfs_queue_entry_renew(q, entry, ms);
	if (entry)
		entry->asked = ms >= 0;
	if (entry)
		entry_wish(entry, wish);
	if (entry && fresh)
		dfs_pending_note(q->pending, DFS_PENDING_ADD, rel, NULL);
	dfs_queue_end(q, rel);
}

void dfs_queue_writing(struct dfs_queue *q, const char *rel)
{
	put(q, rel, -1, NULL);
}

void dfs_queue_opened(struct dfs_queue *q, const char *rel, pid_t pid)
{
	struct dfs_tree_node *node;

	pthread_mutex_lock(&q->lock);
	node = dfs_tree_find(&q->tree, rel);
	if (node && node->value)
		((struct dfs_queue_entry *)node->value)->opener = pid;
	pthread_mutex_unlock(&q->lock);
}

void dfs_queue_add(struct dfs_queue *q, const char *rel, unsigned ms)
{
	static const struct dfs_queue_wish none = { .given = false };

	put(q, rel, ms, &none);
}

void dfs_queue_add_over(struct dfs_queue *q, const char *rel, unsigned ms, const struct dfs_queue_wish *wish)
{
	put(q, rel, ms, wish);
}

void dfs_queue_found(struct dfs_queue *q, const char *rel, int64_t age_ms)
{
	struct dfs_queue_entry *entry;
	bool fresh;

	dfs_queue_begin(q);
	entry = entry_get(q, rel, &fresh);
	if (entry && fresh) {
		dfs_queue_entry_renew(q, entry, age_ms < q->quiet_ms ? q->quiet_ms - age_ms : 0);
		entry->since_ms -= age_ms;
		dfs_pending_note(q->pending, DFS_PENDING_ADD, rel, NULL);
	}
	dfs_queue_end(q, rel);
}

void dfs_queue_quiet(struct dfs_queue *q, unsigned ms)
{
	pthread_mutex_lock(&q->lock);
	if (ms < q->quiet_ms)
		q->quiet_ms = ms;
	pthread_mutex_unlock(&q->lock);
}
