/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue_internal: what queue.c (changes of the tree), queue_work.c (work) and
 * queue_ask.c share.
 *
 * An entry is OPEN if it is neither in the heap nor has an item, WAITING in
 * the heap, IN WORK with an item. The heap has room for all entries.
 */
#ifndef DFS_WRITE_QUEUE_INTERNAL_H
#define DFS_WRITE_QUEUE_INTERNAL_H

#include <pthread.h>

#include "store/pending.h"
#include "util/due.h"
#include "util/tree.h"
#include "write/queue.h"

/* Under the queue's lock. */
struct dfs_queue_entry {
	struct dfs_due due;		/* first: an entry is what the heap has */
	struct dfs_tree_node *node;	/* its value is this */
	struct dfs_queue_item *item;
	unsigned tries;
	bool asked;
	int64_t since_ms;		/* it was last written */
	pid_t opener;			/* who has it open for writing; 0: not known */
	struct dfs_queue_wish wish;
	uint64_t bytes;
	struct dfs_reason why;
};

struct dfs_queue {
	struct dfs_queue_config config;
	struct dfs_journal *pending;
	atomic_bool stopping;		/* set under lock */
	_Atomic uint64_t changes;	/* see dfs_queue_changes() */

	pthread_mutex_t lock;
	pthread_cond_t wake;		/* CLOCK_MONOTONIC: something is due earlier, or stopping was set */
	struct dfs_tree tree;		/* under lock, as all below; values: entries */
	struct dfs_due_heap due;
	unsigned quiet_ms;		/* of config, or less: the shortest there is */
	size_t n, n_in_work, n_taken;
	uint64_t bytes;
	bool tidying;			/* somebody writes the pending file anew, or syncs it */
	int64_t sync_ms;		/* CLOCK_MONOTONIC; not before */
	bool forgot;			/* for lack of memory; the log is to be told */
};

/* All under the lock. */

static inline int64_t dfs_queue_now(struct dfs_queue *q)
{
	return q->config.now_ms(q->config.now_arg);
}

/* dfs_queue_entry_wait() - due in @ms; out of work if it is in it */
void dfs_queue_entry_wait(struct dfs_queue *q, struct dfs_queue_entry *entry, int64_t ms);
/* dfs_queue_change() - change the tree, and note it if that made a difference */
void dfs_queue_change(struct dfs_queue *q, enum dfs_pending_kind kind, const char *rel, const char *to);

/* dfs_queue_tidy_locked() - lets go of the lock meanwhile. Return: until when there is nothing of the kind to do; -1: for ever. */
int64_t dfs_queue_tidy_locked(struct dfs_queue *q);

/* dfs_queue_replay() - dfs_pending_fn: what happened before, from disk; @arg: the queue */
void dfs_queue_replay(void *arg, enum dfs_pending_kind kind, const char *rel, const char *to);

#endif
