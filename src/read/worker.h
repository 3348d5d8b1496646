/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * worker: the buffers that one decode thread uses for chunk after chunk.
 */
#ifndef DFS_READ_WORKER_H
#define DFS_READ_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "codec/codec.h"
#include "read/gate.h"

/* A buffer that keeps its largest size; 64-byte aligned. */
struct dfs_room {
	uint8_t *data;
	size_t cap;
};

struct dfs_worker {
	struct dfs_scratch *scratch;	/* the codecs' */
	struct dfs_room payload;
	struct dfs_room base;		/* base bytes as read */
	struct dfs_gate_key blocked;	/* where a chunk that gave -EAGAIN waits */
};

/* For struct dfs_pool_config. dfs_worker_new() returns NULL if out of memory. */
void *dfs_worker_new(void);
void dfs_worker_free(void *worker);

/* dfs_room_get() - at least @len bytes, content unspecified. Return: NULL if out of memory. */
uint8_t *dfs_room_get(struct dfs_room *room, size_t len);

/* dfs_worker_trim() - after a chunk of @len bytes: give back what only a huge chunk needs */
void dfs_worker_trim(struct dfs_worker *worker, uint64_t len);

#endif
