/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue_internal: what queue.c and queue_move.c (changes of the tree),
 * queue_work.c (work) and queue_ask.c share.
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
	uint64_t told;			/* dfs_queue.told when somebody last told of it, moves apart */
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
	uint64_t told;			/* how often somebody told of a path, moves apart */
	unsigned moving;		/* names that are being moved, and dfs_queue_moved() is to follow */
	uint64_t moving_since;		/* told, when the first of them began */
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

static inline bool dfs_queue_entry_is_open(const struct dfs_queue_entry *entry)
{
	return !entry->item && !entry->due.place;
}

/* dfs_queue_entry_renew() - it was changed: whatever was known of it is of the past, and it is due in @ms */
void dfs_queue_entry_renew(struct dfs_queue *q, struct dfs_queue_entry *entry, int64_t ms);
/* dfs_queue_drop() - forget what is at @rel and below. Return: whether there was anything. */
bool dfs_queue_drop(struct dfs_queue *q, const char *rel);
/* dfs_queue_move(), dfs_queue_exchange() - in the tree. Return: whether it is worth a record. */
bool dfs_queue_move(struct dfs_queue *q, const char *from, const char *to);
bool dfs_queue_exchange(struct dfs_queue *q, const char *a, const char *b);
/* dfs_queue_entry_wait() - due in @ms; out of work if it is in it */
void dfs_queue_entry_wait(struct dfs_queue *q, struct dfs_queue_entry *entry, int64_t ms);
/* dfs_queue_change() - change the tree, and note it if that made a difference */
void dfs_queue_change(struct dfs_queue *q, enum dfs_pending_kind kind, const char *rel, const char *to);

/* dfs_queue_begin() - take the lock; dfs_queue_end() - let go of it, then write what was noted; @rel: for what is said if memory was short */
void dfs_queue_begin(struct dfs_queue *q);
void dfs_queue_end(struct dfs_queue *q, const char *rel);

/* dfs_queue_tidy_locked() - lets go of the lock meanwhile. Return: until when there is nothing of the kind to do; -1: for ever. */
int64_t dfs_queue_tidy_locked(struct dfs_queue *q);

/* dfs_queue_replay() - dfs_pending_fn: what happened before, from disk; @arg: the queue */
void dfs_queue_replay(void *arg, enum dfs_pending_kind kind, const char *rel, const char *to);

#endif
