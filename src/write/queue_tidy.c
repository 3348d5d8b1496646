/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue_tidy: the pending file, written anew and brought to the disk.
 */
#include <stdlib.h>

#include "util/clock.h"
#include "write/queue_internal.h"

/* What a power cut may have forgotten. Shorter: a disk that is busy with what is copied in is made to wait. */
#define SYNC_MS 5000

static void snapshot(struct dfs_queue *q)
{
	struct dfs_tree_node *root = &q->tree.root;

	dfs_journal_snapshot(q->pending);
	for (struct dfs_tree_node *node = root; node; node = dfs_tree_next(root, node)) {
		char *path = node->value ? dfs_tree_text(node) : NULL;

		if (node->value)
			dfs_pending_snapshot_add(q->pending, path);
		free(path);
	}
}

/* Lets go of the lock meanwhile. */
static void sync_pending(struct dfs_queue *q)
{
	int64_t now = dfs_clock_ms(CLOCK_MONOTONIC);

	if (now < q->sync_ms)
		return;
	q->sync_ms = now + SYNC_MS;
	q->tidying = true;
	pthread_mutex_unlock(&q->lock);
	dfs_journal_sync(q->pending);
	pthread_mutex_lock(&q->lock);
	q->tidying = false;
}

int64_t dfs_queue_tidy_locked(struct dfs_queue *q)
{
	int64_t in_ms = dfs_journal_compact_in_ms(q->pending);

	if (q->tidying)
		return in_ms ? in_ms : -1;
	if (in_ms != 0) {
		sync_pending(q);
		return in_ms;
	}
	snapshot(q);
	q->tidying = true;
	pthread_mutex_unlock(&q->lock);
	dfs_journal_compact(q->pending);
	pthread_mutex_lock(&q->lock);
	q->tidying = false;
	return dfs_journal_compact_in_ms(q->pending);
}

void dfs_queue_tidy(struct dfs_queue *q)
{
	pthread_mutex_lock(&q->lock);
	dfs_queue_tidy_locked(q);
	pthread_mutex_unlock(&q->lock);
}
