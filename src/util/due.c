/* SPDX-License-Identifier: GPL-2.0-or-later */
/* due: see due.h. Parent of place p is p / 2. */
#include "util/due.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static bool is_before(const struct dfs_due *a, const struct dfs_due *b)
{
	return a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->turn < b->turn);
}

static void set(struct dfs_due_heap *heap, size_t place, struct dfs_due *due)
{
	heap->list[place - 1] = due;
	due->place = place;
}

static struct dfs_due *get(const struct dfs_due_heap *heap, size_t place)
{
	return heap->list[place - 1];
}

/* @due belongs at @place or above it. */
static void rise(struct dfs_due_heap *heap, struct dfs_due *due, size_t place)
{
	while (place > 1 && is_before(due, get(heap, place / 2))) {
		set(heap, place, get(heap, place / 2));
		place /= 2;
	}
	set(heap, place, due);
}

/* @due belongs at @place or below it. */
static void sink(struct dfs_due_heap *heap, struct dfs_due *due, size_t place)
{
	for (;;) {
		size_t below = 2 * place;

		if (below + 1 <= heap->n && is_before(get(heap, below + 1), get(heap, below)))
			below++;
		if (below > heap->n || !is_before(get(heap, below), due))
			break;
		set(heap, place, get(heap, below));
		place = below;
	}
	set(heap, place, due);
}

int dfs_due_reserve(struct dfs_due_heap *heap, size_t n)
{
	size_t cap = heap->cap ? heap->cap : 16;
	struct dfs_due **list;

	if (n <= heap->cap)
		return 0;
	while (cap < n)
		cap *= 2;
	list = reallocarray(heap->list, cap, sizeof(*list));
	if (!list)
		return -ENOMEM;
	heap->list = list;
	heap->cap = cap;
	return 0;
}

void dfs_due_put(struct dfs_due_heap *heap, struct dfs_due *due, int64_t at_ms)
{
	dfs_due_remove(heap, due);
	due->at_ms = at_ms;
	due->turn = heap->turns++;
	heap->n++;
	rise(heap, due, heap->n);
}

void dfs_due_remove(struct dfs_due_heap *heap, struct dfs_due *due)
{
	size_t place = due->place;
	struct dfs_due *last;

	if (!place)
		return;
	due->place = 0;
	last = get(heap, heap->n--);
	if (last == due)
		return;
	sink(heap, last, place);
	rise(heap, last, last->place);
}

struct dfs_due *dfs_due_first(const struct dfs_due_heap *heap)
{
	return heap->n ? heap->list[0] : NULL;
}

void dfs_due_release(struct dfs_due_heap *heap)
{
	free(heap->list);
	*heap = (struct dfs_due_heap){ 0 };
}
