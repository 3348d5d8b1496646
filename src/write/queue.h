/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue: what waits to be compressed, and when its turn is.
 *
 * WRITE: fuse -> this -> rest.
 *
 * Keyed by path in the store. Who changes the tree says so here; one thread
 * (or several) takes what has been left alone for long enough:
 *
 *	      writing()        written()         take()
 *	(none) -----> OPEN -------------> WAITING -----> IN WORK -----> done()
 *	                ^    writing()       |  ^           |
 *	                +--------------------+  +-----------+
 *	                            written(), moved(), or done(LATER)
 *
 * A file that is written, moved or removed while in work leaves it at once:
 * its item is cancelled, what done() says of it does not count, and it waits
 * anew (or is forgotten, if removed). Changes of anything else cost it nothing.
 *
 * Every path but its state survives a restart (store/pending.h): after one, all
 * wait for the quiet period. A path is on disk before the call that brought it
 * returns, unless another thread is writing just then, who takes it along.
 *
 * All calls from any thread. None waits for a disk or for another, but: take()
 * and try_take() for what they say, and each that brings a path for one
 * write(2) of some hundred bytes. No I/O is done under the lock. Times are
 * CLOCK_MONOTONIC: a clock that is set changes nothing.
 */
#ifndef DFS_WRITE_QUEUE_H
#define DFS_WRITE_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/store.h"
#include "util/err.h"
#include "util/hash.h"
#include "util/log.h"
#include "write/reason.h"

struct dfs_queue;

struct dfs_queue_config {
	struct dfs_store *store;	/* its lock is held, or nothing survives a restart; borrowed */
	struct dfs_log *log;		/* borrowed; may be NULL */
	unsigned quiet_ms;		/* default of the mount: 5000. Less compresses files that are about to be written again, more leaves them large for longer. */
	int64_t (*now_ms)(void *arg);	/* for tests; NULL: CLOCK_MONOTONIC. Called under the queue's lock. */
	void *now_arg;
};

/**
 * dfs_queue_new() - a queue with what was pending
 * Return: 0; -ENOMEM. What cannot be read or written on disk is told by the log.
 */
int dfs_queue_new(const struct dfs_queue_config *config, struct dfs_queue **ret_queue, struct dfs_err *err);

/* dfs_queue_free() - every item was given back, and nobody calls any more; what waits stays on disk. NULL is fine. */
void dfs_queue_free(struct dfs_queue *queue);

/* --- what happens to files */

/**
 * dfs_queue_writing() - @rel is about to be changed, and dfs_queue_written() will follow
 *
 * Cancels work on it, and notes it on disk before the first byte, so that a
 * daemon that is killed between the last byte and the last close knows of it
 * afterwards. Cheap when nothing changes: once a handle is enough, before its
 * first write.
 */
void dfs_queue_writing(struct dfs_queue *queue, const char *rel);

/* dfs_queue_opened() - @rel, if it is in the queue, is open for writing by @pid, who keeps it from being compressed; known until it is written */
void dfs_queue_opened(struct dfs_queue *queue, const char *rel, pid_t pid);

/* dfs_queue_written() - the last handle that wrote to @rel was closed: due when quiet_ms are over, again from the start */
void dfs_queue_written(struct dfs_queue *queue, const char *rel);

/* dfs_queue_add() - the same, due in @ms: somebody asked for it by name */
void dfs_queue_add(struct dfs_queue *queue, const char *rel, unsigned ms);

/* dfs_queue_found() - @rel was last written @age_ms ago, as nobody here has seen: due when the rest of quiet_ms is over. Nothing if it is in the queue. */
void dfs_queue_found(struct dfs_queue *queue, const char *rel, int64_t age_ms);

/* How somebody wants a file coded. */
struct dfs_queue_wish {
	bool given;		/* else none, and who compresses chooses */
	struct dfs_hash base;	/* its ID */
	uid_t uid;		/* who wants it, and must be able to read it */
	const char *codec;	/* SPEC; NULL: as policy and mount have it */
};

/*
 * dfs_queue_add_over() - the same, with a wish
 * It holds until the file is compressed or found to stay plain, whatever
 * happens to it meanwhile; a restart forgets it. The codec was meant for what
 * the file holds now: once it is written to, that is forgotten.
 */
void dfs_queue_add_over(struct dfs_queue *queue, const char *rel, unsigned ms, const struct dfs_queue_wish *wish);

/*
 * dfs_queue_move_begin(), dfs_queue_move_end() - around a rename(2) and what tells of it
 *
 * What is found out about a path meanwhile may be of a file that has another by
 * now: nothing that waits is forgotten for it.
 */
void dfs_queue_move_begin(struct dfs_queue *queue);
void dfs_queue_move_end(struct dfs_queue *queue);

/**
 * dfs_queue_moved() - @from was renamed to @to
 *
 * A file or a directory: what waits at @from or below it waits at @to, again
 * from the start, and what waited at @to is forgotten: it was replaced. If
 * nothing waited at @from, nothing will at @to: call dfs_queue_written() for a
 * file whose new name may make a difference.
 */
void dfs_queue_moved(struct dfs_queue *queue, const char *from, const char *to);

/* dfs_queue_exchanged() - @a and @b, files or directories, took each other's name */
void dfs_queue_exchanged(struct dfs_queue *queue, const char *a, const char *b);

/**
 * dfs_queue_removed() - @rel is gone, and all below it
 *
 * When NAME.aria2 goes, NAME (if it waits) is due after the quiet period: its
 * download has ended.
 */
void dfs_queue_removed(struct dfs_queue *queue, const char *rel);

/*
 * dfs_queue_quiet() - somewhere files are at rest after @ms
 *
 * If that is less than what was known, all are taken after it from now on, and
 * who takes one too early for its place gives it back (DFS_QUEUE_EARLY).
 */
void dfs_queue_quiet(struct dfs_queue *queue, unsigned ms);

/* dfs_queue_look() - what waits at @rel and below it, and was not tried yet, is due: perhaps by a policy it is so */
void dfs_queue_look(struct dfs_queue *queue, const char *rel);

/* dfs_queue_sized() - @rel, if it is in the queue, has so many bytes; for the totals only */
void dfs_queue_sized(struct dfs_queue *queue, const char *rel, uint64_t bytes);

/* --- working */

/* A file in work; of who took it, until dfs_queue_done(). */
struct dfs_queue_item {
	const char *rel;	/* its path when it was taken */
	unsigned tries;		/* how often it ended LATER since it was last written */
	bool asked;		/* for by name (dfs_queue_add()), since it was last written */
	int64_t age_ms;		/* since it was last written, as far as the queue knows */
	struct dfs_queue_wish wish;
	/* private */
	struct dfs_queue_entry *entry;	/* NULL: it left work; under the queue's lock */
	atomic_bool cancelled;
};

/**
 * dfs_queue_take() - wait until a file is due, and take it: the earliest first
 *
 * Calls dfs_queue_tidy() first, so it is not for a thread that answers the kernel.
 * Return: 0; -ESHUTDOWN: dfs_queue_stop() was called.
 */
int dfs_queue_take(struct dfs_queue *queue, struct dfs_queue_item **ret_item);

/* dfs_queue_take_within() - the same, but waits @ms at most. Return: as above; -EAGAIN: nothing is due. */
int dfs_queue_take_within(struct dfs_queue *queue, int64_t ms, struct dfs_queue_item **ret_item);

/**
 * dfs_queue_try_take() - the same without waiting
 * @ret_wait_ms: until when nothing will be due, of itself; -1: nothing waits; may be NULL
 * Return: 0; -EAGAIN: nothing is due; -ESHUTDOWN.
 */
int dfs_queue_try_take(struct dfs_queue *queue, struct dfs_queue_item **ret_item, int64_t *ret_wait_ms);

/**
 * dfs_queue_tidy() - write the pending file anew, if it has grown or could not be
 * written; else bring it to the disk, if the last time is five seconds ago
 *
 * Call it now and then while work goes on for long: thousands of files may come
 * and go meanwhile. Waits for the disk; when there is nothing to do it costs a lock.
 */
void dfs_queue_tidy(struct dfs_queue *queue);

/* dfs_queue_cancelled() - was it changed, moved or removed since it was taken, or is the queue stopping? No lock: ask often. */
bool dfs_queue_cancelled(const struct dfs_queue *queue, const struct dfs_queue_item *item);

/* dfs_queue_stopping() - was dfs_queue_stop() called? No lock. */
bool dfs_queue_stopping(const struct dfs_queue *queue);

enum dfs_queue_end {
	DFS_QUEUE_DONE,		/* compressed: forget it */
	DFS_QUEUE_STAYS,	/* stays plain: forget it until it is written again */
	DFS_QUEUE_LATER,	/* try again, after a time */
	DFS_QUEUE_EARLY,	/* its quiet period is a longer one: as LATER, but it was not tried */
};

/**
 * dfs_queue_done() - give an item back; it is freed
 * @after_ms: for DFS_QUEUE_LATER (dfs_reason_again_ms()) and _EARLY; 0 if it was cancelled by dfs_queue_stop()
 * @why: of DFS_QUEUE_LATER, for dfs_queue_each(); copied; may be NULL
 *
 * If the item was cancelled by a change, none of it counts.
 */
void dfs_queue_done(struct dfs_queue *queue, struct dfs_queue_item *item, enum dfs_queue_end end, unsigned after_ms,
		    const struct dfs_reason *why);

/* dfs_queue_hurry() - if @rel waits because of @id, its turn is now */
void dfs_queue_hurry(struct dfs_queue *queue, const char *rel, enum dfs_reason_id id);

/* dfs_queue_stop() - wake who waits, cancel what is in work; for good. What waits stays on disk. */
void dfs_queue_stop(struct dfs_queue *queue);

/* --- asking */

enum dfs_queue_state { DFS_QUEUE_OPEN, DFS_QUEUE_WAITING, DFS_QUEUE_IN_WORK, DFS_QUEUE_STATES };

struct dfs_queue_stats {
	uint64_t n[DFS_QUEUE_STATES];
	uint64_t bytes;		/* of those whose size was told */
	uint64_t n_taken;	/* items that were not given back; more than IN_WORK while cancelled ones end */
};

void dfs_queue_stats(struct dfs_queue *queue, struct dfs_queue_stats *ret_stats);

/* One file of the queue, for the time of a call. */
struct dfs_queue_view {
	const char *rel;
	enum dfs_queue_state state;
	int64_t left_ms;	/* WAITING: until it is due; 0: it is */
	unsigned tries;
	bool asked;		/* for by name */
	uint64_t bytes;		/* 0: not told */
	struct dfs_reason why;	/* why it waits: OPEN, or when it was tried already */
};

/**
 * dfs_queue_each() - what is in the queue at @rel and below it
 * @each: called without the lock, with what was so at one instant; false ends it
 * Return: 0; -ENOMEM.
 */
int dfs_queue_each(struct dfs_queue *queue, const char *rel,
		   bool (*each)(void *arg, const struct dfs_queue_view *view), void *arg);

/* dfs_queue_below() - how many of @rel and below it are in which state, and their bytes. Looks at each, under the lock. */
void dfs_queue_below(struct dfs_queue *queue, const char *rel, struct dfs_queue_stats *ret_stats);

/* dfs_queue_copied() - a container was made by a copy of another; said while that is open */
void dfs_queue_copied(struct dfs_queue *queue);

/*
 * dfs_queue_changes() - how many names were moved, exchanged or removed, or containers copied, since the start
 * Who walks the tree may have missed a file if this is not what it was before. No lock.
 */
uint64_t dfs_queue_changes(const struct dfs_queue *queue);

/* dfs_queue_unfinished() - is @rel in the queue, and somebody may be writing to it: open, or changed not long ago? */
bool dfs_queue_unfinished(struct dfs_queue *queue, const char *rel);

/* dfs_queue_settled() - is nothing of @rel or below it in the queue, in any state? "": nothing at all. */
bool dfs_queue_settled(struct dfs_queue *queue, const char *rel);

#endif
