/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "read/buffer.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "codec/codec.h"
#include "format/container.h"

/*
 * A step of the grid, up to 7 bytes of rounding to whole values, and the pad,
 * in whole pages of 4 KiB. The second page of slack keeps buffers from all
 * starting on the same sets of the CPU's cache.
 */
#define GRID_BUFFER (DFS_GRID + 2 * 4096)
_Static_assert(GRID_BUFFER >= DFS_GRID + 7 + DFS_VALUES_PAD, "a chunk of the grid fits");

/* Below this, malloc: a page for each chunk of a file of tiny tensors would be waste. */
#define SMALL (32u << 10)
#define ALIGN 64

static size_t room_for(size_t len)
{
	size_t want = len + DFS_VALUES_PAD;

	if (want <= SMALL)
		return (want + ALIGN - 1) / ALIGN * ALIGN;
	if (want <= GRID_BUFFER)
		return GRID_BUFFER;
	return (want + 4095) / 4096 * 4096;
}

void dfs_buffers_init(struct dfs_buffers *buffers, size_t keep)
{
	*buffers = (struct dfs_buffers){ .max_spare = keep / GRID_BUFFER };
	pthread_mutex_init(&buffers->lock, NULL);
}

void dfs_buffers_release(struct dfs_buffers *buffers)
{
	while (buffers->spare) {
		void *next = *(void **)buffers->spare;

		munmap(buffers->spare, GRID_BUFFER);
		buffers->spare = next;
	}
	pthread_mutex_destroy(&buffers->lock);
}

static void *take_spare(struct dfs_buffers *buffers)
{
	void *data;

	pthread_mutex_lock(&buffers->lock);
	data = buffers->spare;
	if (data) {
		buffers->spare = *(void **)data;
		buffers->n_spare--;
	}
	pthread_mutex_unlock(&buffers->lock);
	return data;
}

uint8_t *dfs_buffers_get(struct dfs_buffers *buffers, size_t len)
{
	size_t room = room_for(len);
	void *data = NULL;

	if (room <= SMALL)
		return aligned_alloc(ALIGN, room);
	if (room == GRID_BUFFER)
		data = take_spare(buffers);
	if (data)
		return data;
	data = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return data == MAP_FAILED ? NULL : data;
}

static bool keep_spare(struct dfs_buffers *buffers, void *data)
{
	bool keep;

	pthread_mutex_lock(&buffers->lock);
	keep = buffers->n_spare < buffers->max_spare;
	if (keep) {
		*(void **)data = buffers->spare;
		buffers->spare = data;
		buffers->n_spare++;
	}
	pthread_mutex_unlock(&buffers->lock);
	return keep;
}

void dfs_buffers_put(struct dfs_buffers *buffers, uint8_t *data, size_t len)
{
	size_t room = room_for(len);

	if (!data)
		return;
	if (room <= SMALL) {
		free(data);
		return;
	}
	if (room == GRID_BUFFER && keep_spare(buffers, data))
		return;
	munmap(data, room);
}

size_t dfs_buffer_cost(size_t len)
{
	/* What malloc, the chunk's own struct and the table around it add. */
	const size_t overhead = 512;
	size_t cost = room_for(len) + overhead;

	/* A huge chunk's payload, base and prediction are not negligible while it is decoded. */
	return len > 4 * DFS_GRID ? 4 * cost : cost;
}
