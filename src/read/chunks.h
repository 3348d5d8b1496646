/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chunks: decoded chunks and those on their way, as a set that can be searched
 * and lists of those that nobody holds. cache.c keeps the books over it.
 *
 * All of it under cache->lock.
 */
#ifndef DFS_READ_CHUNKS_H
#define DFS_READ_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "util/pool.h"

struct dfs_idle;
struct dfs_view;
struct dfs_wait;

/* A chunk of a view, and where it lies in the file. */
struct dfs_extent {
	uint64_t off;
	uint64_t len;
	uint32_t segment;
	uint32_t index;		/* within the segment */
	uint32_t chunk;		/* within the container */
};

enum dfs_chunk_state { DFS_CHUNK_QUEUED, DFS_CHUNK_DECODING, DFS_CHUNK_READY, DFS_CHUNK_FAILED };

/* Decoded bytes; immutable once ready. All else under cache->lock. */
struct dfs_chunk {
	struct dfs_view *view;
	struct dfs_extent extent;
	uint8_t *data;
	enum dfs_chunk_state state;
	unsigned refs;			/* holds of requests and of queued jobs */
	bool queued;			/* its job is, or was */
	bool urgent;			/* queued as that, or raised to it */
	bool unasked;			/* decoded ahead, and no request came yet */
	bool hashed;			/* can be found */
	struct dfs_idle *idle;		/* the list it is in; NULL: somebody holds it */
	uint64_t delivered;		/* bytes handed out */
	struct dfs_wait *waits;
	time_t born;			/* CLOCK_MONOTONIC, s */
	struct dfs_job job;
	struct dfs_chunk *next_same;	/* in a slot of the table */
	struct dfs_chunk *next_of_view, **link_of_view;
	struct dfs_chunk *older, *newer;	/* in idle */
	struct dfs_chunk *next_parked;	/* at a gate (under its lock), or woken and waiting for room */
};

/* Ready chunks that nobody holds, by when they were let go of. */
struct dfs_idle {
	struct dfs_chunk *oldest, *newest;
};

struct dfs_chunks {
	size_t n;
	struct dfs_chunk **slots;
	size_t n_slots;			/* a power of two */
};

/* dfs_chunks_init() - Return: 0 or -ENOMEM. */
int dfs_chunks_init(struct dfs_chunks *chunks);
void dfs_chunks_release(struct dfs_chunks *chunks); /* empty by now */

struct dfs_chunk *dfs_chunks_find(const struct dfs_chunks *chunks, const struct dfs_view *view, uint32_t number);
void dfs_chunks_insert(struct dfs_chunks *chunks, struct dfs_chunk *chunk);
/* dfs_chunks_hide() - it cannot be found any more; again is harmless */
void dfs_chunks_hide(struct dfs_chunks *chunks, struct dfs_chunk *chunk);
void dfs_chunks_remove(struct dfs_chunks *chunks, struct dfs_chunk *chunk);

/* dfs_idle_add() - as the newest */
void dfs_idle_add(struct dfs_idle *list, struct dfs_chunk *chunk);
void dfs_idle_remove(struct dfs_chunk *chunk); /* from whichever list it is in, if any */

#endif
