/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * due: things that are due at a time, the earliest first; a heap.
 *
 * A struct dfs_due lies in its owner's struct. Among equals the one that was
 * put in first comes first. No locks: the owner has one.
 */
#ifndef DFS_UTIL_DUE_H
#define DFS_UTIL_DUE_H

#include <stddef.h>
#include <stdint.h>

struct dfs_due {
	int64_t at_ms;
	uint64_t turn;		/* among equals */
	size_t place;		/* in the heap, from 1; 0: not in it */
};

/* All zero is empty. */
struct dfs_due_heap {
	struct dfs_due **list;	/* list[0] is place 1 */
	size_t n, cap;
	uint64_t turns;
};

/* dfs_due_reserve() - room for @n in all, so that dfs_due_put() finds it. Return: 0; -ENOMEM. */
int dfs_due_reserve(struct dfs_due_heap *heap, size_t n);

/* dfs_due_put() - in, or to another time if it is in; there must be room */
void dfs_due_put(struct dfs_due_heap *heap, struct dfs_due *due, int64_t at_ms);
/* dfs_due_remove() - out; nothing if it is not in */
void dfs_due_remove(struct dfs_due_heap *heap, struct dfs_due *due);

/* dfs_due_first() - the earliest, still in; NULL if there is none */
struct dfs_due *dfs_due_first(const struct dfs_due_heap *heap);

/* dfs_due_release() - frees what the heap has; the things in it are their owners' */
void dfs_due_release(struct dfs_due_heap *heap);

#endif
