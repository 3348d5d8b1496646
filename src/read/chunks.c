/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chunks: a hash table by view and number, a list a view, lists of the idle.
 */
#include "read/chunks.h"

#include <errno.h>
#include <stdlib.h>

#include "read/internal.h"

#define SLOTS_AT_FIRST 1024

int dfs_chunks_init(struct dfs_chunks *chunks)
{
	*chunks = (struct dfs_chunks){ .n_slots = SLOTS_AT_FIRST };
	chunks->slots = calloc(chunks->n_slots, sizeof(struct dfs_chunk *));
	return chunks->slots ? 0 : -ENOMEM;
}

void dfs_chunks_release(struct dfs_chunks *chunks)
{
	free(chunks->slots);
}

static struct dfs_chunk **slot_of(struct dfs_chunk **slots, size_t n_slots,
				  const struct dfs_view *view, uint32_t chunk)
{
	uint64_t h = ((uintptr_t)view >> 4) * 0x9e3779b97f4a7c15u + chunk * 0xd6e8feb86659fd93u;

	return &slots[(h ^ h >> 32) & (n_slots - 1)];
}

struct dfs_chunk *dfs_chunks_find(const struct dfs_chunks *chunks, const struct dfs_view *view, uint32_t number)
{
	struct dfs_chunk *chunk = *slot_of(chunks->slots, chunks->n_slots, view, number);

	while (chunk && (chunk->view != view || chunk->extent.chunk != number))
		chunk = chunk->next_same;
	return chunk;
}

/* A table that cannot grow is slower, nothing else. */
static void grow(struct dfs_chunks *chunks)
{
	size_t n_slots = chunks->n_slots * 4;
	struct dfs_chunk **slots = calloc(n_slots, sizeof(struct dfs_chunk *));

	if (!slots)
		return;
	for (size_t i = 0; i < chunks->n_slots; i++) {
		while (chunks->slots[i]) {
			struct dfs_chunk *chunk = chunks->slots[i];
			struct dfs_chunk **to = slot_of(slots, n_slots, chunk->view, chunk->extent.chunk);

			chunks->slots[i] = chunk->next_same;
			chunk->next_same = *to;
			*to = chunk;
		}
	}
	free(chunks->slots);
	chunks->slots = slots;
	chunks->n_slots = n_slots;
}

static void hash_in(struct dfs_chunks *chunks, struct dfs_chunk *chunk)
{
	struct dfs_chunk **slot;

	if (chunks->n > chunks->n_slots)
		grow(chunks);
	slot = slot_of(chunks->slots, chunks->n_slots, chunk->view, chunk->extent.chunk);
	chunk->next_same = *slot;
	*slot = chunk;
	chunk->hashed = true;
}

void dfs_chunks_hide(struct dfs_chunks *chunks, struct dfs_chunk *chunk)
{
	struct dfs_chunk **at = slot_of(chunks->slots, chunks->n_slots, chunk->view, chunk->extent.chunk);

	if (!chunk->hashed)
		return;
	while (*at != chunk)
		at = &(*at)->next_same;
	*at = chunk->next_same;
	chunk->hashed = false;
}

static void view_in(struct dfs_chunk *chunk)
{
	struct dfs_chunk **head = &chunk->view->chunks;

	chunk->next_of_view = *head;
	chunk->link_of_view = head;
	if (*head)
		(*head)->link_of_view = &chunk->next_of_view;
	*head = chunk;
}

static void view_out(struct dfs_chunk *chunk)
{
	*chunk->link_of_view = chunk->next_of_view;
	if (chunk->next_of_view)
		chunk->next_of_view->link_of_view = chunk->link_of_view;
}

void dfs_chunks_insert(struct dfs_chunks *chunks, struct dfs_chunk *chunk)
{
	hash_in(chunks, chunk);
	view_in(chunk);
	chunks->n++;
}

void dfs_chunks_remove(struct dfs_chunks *chunks, struct dfs_chunk *chunk)
{
	dfs_chunks_hide(chunks, chunk);
	view_out(chunk);
	chunks->n--;
}

void dfs_idle_add(struct dfs_idle *list, struct dfs_chunk *chunk)
{
	chunk->older = list->newest;
	chunk->newer = NULL;
	*(list->newest ? &list->newest->newer : &list->oldest) = chunk;
	list->newest = chunk;
	chunk->idle = list;
}

void dfs_idle_remove(struct dfs_chunk *chunk)
{
	struct dfs_idle *list = chunk->idle;

	if (!list)
		return;
	*(chunk->newer ? &chunk->newer->older : &list->newest) = chunk->older;
	*(chunk->older ? &chunk->older->newer : &list->oldest) = chunk->newer;
	chunk->idle = NULL;
}
