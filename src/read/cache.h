/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cache: a bounded set of decoded chunks that decodes each missing one once,
 * however many requests wait for it.
 *
 * READ: request.c -> this -> flight.c -> chunk.c
 *
 * It fronts chunk.c in calls (a hit skips the rest) and follows it in data. A
 * chunk is queued, decoding, ready or failed; a failed one is forgotten at
 * once, so the next request tries again. A ready one that nobody holds stays
 * until its bytes have been delivered (the kernel's page cache has them then)
 * or the room is needed.
 *
 * Memory: a chunk's room is reserved before it is queued, for all chunks of a
 * request or for none. A request for which there is no room is parked, first
 * come first served, until others end; so no request ever holds room while it
 * waits for more, and one that wants more than there is at all goes alone. The
 * exception are chunks that sleep, parked at a base that hangs (gate.h): they
 * have no room until they wake; the first of them needs none to be left.
 */
#ifndef DFS_READ_CACHE_H
#define DFS_READ_CACHE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "read/chunks.h"
#include "util/err.h"

struct dfs_request;
struct dfs_view;

/* One chunk that a request waits for. */
struct dfs_wait {
	struct dfs_wait *next;		/* in chunk->waits; under cache->lock */
	struct dfs_request *request;
	struct dfs_chunk *chunk;
	struct dfs_extent extent;
};

struct dfs_cache {
	pthread_mutex_t lock;
	size_t limit;			/* bytes; reserved + tables stay below it unless one request alone is larger */
	size_t metadata_limit;		/* for metadata besides; 0: it is part of limit */
	/* all under lock */
	size_t reserved;		/* for chunks in any state */
	size_t tables;			/* opened shared tables, see tables.h */
	size_t metadata;		/* of open containers */
	size_t unasked;			/* part of reserved */
	size_t peak;
	unsigned taken;			/* requests that hold chunks */
	unsigned flying;		/* chunks queued or decoding, but for those that sleep */
	struct dfs_chunks chunks;
	struct dfs_idle idle;
	struct dfs_chunk *woken, **woken_end;	/* slept, and wait for room; they go before requests */
	struct dfs_request *parked, *parked_last;	/* wait for room; request.c's */
	uint64_t decoded, hits, bytes_decoded, bytes_delivered, failures;
};

/* dfs_cache_init() - @metadata_limit: see struct dfs_cache. Return: 0 or -ENOMEM. */
int dfs_cache_init(struct dfs_cache *cache, size_t limit, size_t metadata_limit);
void dfs_cache_release(struct dfs_cache *cache); /* no view is open any more */

/*
 * Bytes of memory for one of metadata, at most: the block as read, and what is
 * kept of it unpacked with a view's notes on its chunks.
 */
#define DFS_METADATA_COST 3

/**
 * dfs_cache_admit() - count the metadata of a container that is about to be opened
 * @bytes: of its metadata block
 *
 * Chunks get so much less room, unless it has its own. Takes the lock.
 *
 * Return: 0; -E2BIG if it alone would take more than half of all memory, or two
 * thirds of its own,
 * -ENOMEM if there is no room beside that of others now: nothing was counted.
 */
int dfs_cache_admit(struct dfs_cache *cache, uint64_t bytes);
/* dfs_cache_metadata_most() - memory that the metadata of one file may take */
size_t dfs_cache_metadata_most(const struct dfs_cache *cache);
/* dfs_cache_dismiss() - the other end of it, for @cost of what was counted: DFS_METADATA_COST a byte */
void dfs_cache_dismiss(struct dfs_cache *cache, uint64_t cost);

/*
 * What follows is called with cache->lock held.
 */

/**
 * dfs_cache_take() - take hold of all chunks that a round of a request needs
 * @waits: @n different extents of @view, n > 0
 * @make: missing chunks may be made; else only what exists is taken
 *
 * Missing ones are made and queued, queued ones raised to urgent.
 *
 * Return: how many are not ready yet (these have the wait in their list);
 * -EAGAIN if there is no room now, -ENOMEM: nothing was taken.
 */
int dfs_cache_take(struct dfs_cache *cache, struct dfs_view *view, struct dfs_wait *waits,
		   unsigned n, bool make);

/* dfs_cache_give() - the other end of it; bytes [off, end) of the file were handed out */
void dfs_cache_give(struct dfs_cache *cache, struct dfs_wait *waits, unsigned n,
		    uint64_t off, uint64_t end);

/**
 * dfs_cache_ahead() - have a chunk decoded that nobody asked for yet
 * Return: false if there is no room to spare for guesses: stop guessing.
 */
bool dfs_cache_ahead(struct dfs_cache *cache, struct dfs_view *view, const struct dfs_extent *extent);

/**
 * dfs_cache_finish() - a decode ended
 * @data: the decoded bytes, now the cache's; NULL if @ret < 0
 * Return: the waits in its list, for request.c to serve.
 */
struct dfs_wait *dfs_cache_finish(struct dfs_cache *cache, struct dfs_chunk *chunk, uint8_t *data, int ret);

/* dfs_cache_drop() - let go of one hold of a chunk */
void dfs_cache_drop(struct dfs_cache *cache, struct dfs_chunk *chunk);

/* dfs_cache_forget() - a view was closed: nothing of it is kept, or begun unless somebody waits for it */
void dfs_cache_forget(struct dfs_cache *cache, struct dfs_view *view);

/* dfs_cache_tables() - shared tables now take @bytes */
void dfs_cache_tables(struct dfs_cache *cache, size_t bytes);

/* dfs_cache_sleep() - a chunk could not be decoded now, and is to be parked: its room is free */
void dfs_cache_sleep(struct dfs_cache *cache, struct dfs_chunk *chunk);
/* dfs_cache_wake() - it is to be tried again: queued as soon as there is room */
void dfs_cache_wake(struct dfs_cache *cache, struct dfs_chunk *chunk);
/* dfs_cache_admit_woken() - there may be room now */
void dfs_cache_admit_woken(struct dfs_cache *cache);

/*
 * flight.c
 */

/* dfs_chunk_wake() - what kept a parked chunk from being decoded may be over; no lock held */
void dfs_chunk_wake(struct dfs_chunk *chunk);

/* dfs_chunk_queue() - have a chunk decoded; cache->lock held, a hold is taken for the job */
void dfs_chunk_queue(struct dfs_chunk *chunk, enum dfs_urgency urgency);

/* dfs_chunk_resume() - the same for one that slept: its job and hold are there; cache->lock held */
void dfs_chunk_resume(struct dfs_chunk *chunk);

/* dfs_chunk_raise() - a guess that waits in its queue is now asked for; cache->lock held */
void dfs_chunk_raise(struct dfs_chunk *chunk);

#endif
