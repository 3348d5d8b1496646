/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue_move: names that are moved, and what waits below them with them.
 */
#include "store/expand.h"
#include "util/auto.h"
#include "write/queue_internal.h"

/* --- under the lock, to the next line like this */

static void renew_all(struct dfs_queue *q, struct dfs_tree_node *top)
{
	for (struct dfs_tree_node *node = top; node; node = dfs_tree_next(top, node)) {
		struct dfs_queue_entry *entry = node->value;
		bool asked = entry && entry->asked; /* another name, the same bytes: who asked asks still */

		if (entry && !dfs_queue_entry_is_open(entry)) {
			dfs_queue_entry_renew(q, entry, q->quiet_ms);
			entry->asked = asked;
		}
	}
}

/* Neither in the other: what the kernel would refuse is nothing to follow. */
static bool are_apart(const char *a, const char *b)
{
	return !dfs_tree_covers(a, b) && !dfs_tree_covers(b, a);
}

/* To where nothing is. Return: false: out of memory, and forgotten. */
static bool move_node(struct dfs_queue *q, struct dfs_tree_node *node, const char *from, const char *to)
{
	struct dfs_tree_node *place = dfs_tree_make(&q->tree, to);

	if (!place) {
		dfs_queue_drop(q, from);
		return false;
	}
	dfs_tree_exchange(&q->tree, node, place);
	dfs_tree_prune(&q->tree, place);
	renew_all(q, node);
	return true;
}

bool dfs_queue_move(struct dfs_queue *q, const char *from, const char *to)
{
	struct dfs_tree_node *node;
	bool dropped;

	if (!are_apart(from, to))
		return false;
	dropped = dfs_queue_drop(q, to);
	node = dfs_tree_find(&q->tree, from);
	if (node && !move_node(q, node, from, to))
		q->forgot = true;
	return dropped || node;
}

bool dfs_queue_exchange(struct dfs_queue *q, const char *a, const char *b)
{
	struct dfs_tree_node *at_a = dfs_tree_find(&q->tree, a), *at_b = dfs_tree_find(&q->tree, b);
	bool fine = true;

	if (!are_apart(a, b) || (!at_a && !at_b))
		return false;
	if (at_a && at_b) {
		dfs_tree_exchange(&q->tree, at_a, at_b);
		renew_all(q, at_a);
		renew_all(q, at_b);
	} else if (at_a) {
		fine = move_node(q, at_a, a, b);
	} else {
		fine = move_node(q, at_b, b, a);
	}
	q->forgot |= !fine;
	return true;
}

/* --- taking it */

/* Under the lock: what at @rel and below was told of since names began to be moved. */
static void find_told(struct dfs_queue *q, const char *rel, struct dfs_paths *told)
{
	struct dfs_tree_node *top = q->moving ? dfs_tree_find(&q->tree, rel) : NULL;

	for (struct dfs_tree_node *node = top; node; node = dfs_tree_next(top, node)) {
		const struct dfs_queue_entry *entry = node->value;
		DFS_AUTO(mem) char *path = NULL;

		if (!entry || entry->told <= q->moving_since)
			continue;
		path = dfs_tree_text(node);
		if (!path || dfs_paths_add(told, path) < 0)
			q->forgot = true;
	}
}

/*
 * A name is moved, and told of a moment later. Who closes a file in between
 * tells of its new path already, where the move puts what it knows of the old
 * one: that it is open. Such paths are told of once more.
 */
static void change_place(struct dfs_queue *q, enum dfs_pending_kind kind, const char *from, const char *to)
{
	struct dfs_paths told = { 0 };

	atomic_fetch_add(&q->changes, 1);
	dfs_queue_begin(q);
	find_told(q, to, &told);
	if (kind == DFS_PENDING_EXCHANGE)
		find_told(q, from, &told);
	dfs_queue_change(q, kind, from, to);
	for (size_t i = 0; i < told.n; i++)
		dfs_queue_change(q, DFS_PENDING_ADD, told.paths[i], NULL);
	dfs_queue_end(q, to);
	dfs_paths_release(&told);
}

void dfs_queue_move_begin(struct dfs_queue *q)
{
	pthread_mutex_lock(&q->lock);
	if (!q->moving++)
		q->moving_since = q->told;
	pthread_mutex_unlock(&q->lock);
}

void dfs_queue_move_end(struct dfs_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->moving--;
	pthread_mutex_unlock(&q->lock);
}

void dfs_queue_moved(struct dfs_queue *q, const char *from, const char *to)
{
	change_place(q, DFS_PENDING_MOVE, from, to);
}

void dfs_queue_exchanged(struct dfs_queue *q, const char *a, const char *b)
{
	change_place(q, DFS_PENDING_EXCHANGE, a, b);
}
