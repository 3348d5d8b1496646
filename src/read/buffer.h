/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buffer: memory for decoded chunks.
 *
 * Nearly all chunks are one step of the format's grid. Their buffers come
 * straight from mmap, so that what is given back leaves the process, and the
 * last ones given back are handed out first, still warm in the CPU's cache.
 */
#ifndef DFS_READ_BUFFER_H
#define DFS_READ_BUFFER_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct dfs_buffers {
	pthread_mutex_t lock;
	void *spare;		/* under lock: a list through the first bytes of each */
	size_t n_spare;		/* under lock */
	size_t max_spare;
};

/* @keep: bytes of unused buffers to hold on to */
void dfs_buffers_init(struct dfs_buffers *buffers, size_t keep);
void dfs_buffers_release(struct dfs_buffers *buffers);

/* dfs_buffers_get() - room for @len bytes and DFS_VALUES_PAD, 64-byte aligned. NULL: out of memory. */
uint8_t *dfs_buffers_get(struct dfs_buffers *buffers, size_t len);
/* dfs_buffers_put() - @data: from dfs_buffers_get() with the same @len; NULL is fine */
void dfs_buffers_put(struct dfs_buffers *buffers, uint8_t *data, size_t len);

/* dfs_buffer_cost() - memory that a chunk of @len bytes takes while it is cached */
size_t dfs_buffer_cost(size_t len);

#endif
