/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "read/worker.h"

#include <stdlib.h>

#include "format/container.h"

#define ALIGN 64

/*
 * Chunks up to this length leave their buffers behind for the next one; it
 * covers all that the format makes on its grid. Larger: memory stays with idle
 * threads. Smaller: ordinary chunks allocate anew each time.
 */
#define KEEP (4 * DFS_GRID)

static void room_release(struct dfs_room *room)
{
	free(room->data);
	*room = (struct dfs_room){ 0 };
}

void dfs_worker_free(void *local)
{
	struct dfs_worker *worker = local;

	if (!worker)
		return;
	dfs_scratch_free(worker->scratch);
	room_release(&worker->payload);
	room_release(&worker->base);
	free(worker);
}

void *dfs_worker_new(void)
{
	struct dfs_worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->scratch = dfs_scratch_new();
	if (!worker->scratch) {
		free(worker);
		return NULL;
	}
	return worker;
}

uint8_t *dfs_room_get(struct dfs_room *room, size_t len)
{
	size_t cap = (len + ALIGN) / ALIGN * ALIGN;

	if (cap <= room->cap)
		return room->data;
	room_release(room);
	room->data = aligned_alloc(ALIGN, cap);
	if (room->data)
		room->cap = cap;
	return room->data;
}

void dfs_worker_trim(struct dfs_worker *worker, uint64_t len)
{
	struct dfs_scratch *fresh;

	if (len <= KEEP)
		return;
	room_release(&worker->payload);
	room_release(&worker->base);
	fresh = dfs_scratch_new();
	if (!fresh)
		return;
	dfs_scratch_free(worker->scratch);
	worker->scratch = fresh;
}
