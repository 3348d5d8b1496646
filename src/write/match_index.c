/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * match_index: tensors by key, as a sorted array.
 *
 * Made once, asked often, never changed in between: sorting is simpler than a
 * hash table and gives the same order each time, whatever the insertion.
 */
#include <errno.h>
#include <stdlib.h>

#include "write/matching.h"

int dfs_match_index_add(struct dfs_match_index *index, struct dfs_match_entry entry)
{
	if (index->n == index->room) {
		size_t room = index->room ? 2 * index->room : 256;
		struct dfs_match_entry *entries;

		entries = reallocarray(index->entries, room, sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		index->entries = entries;
		index->room = room;
	}
	index->entries[index->n++] = entry;
	return 0;
}

static int entry_order(const void *a, const void *b)
{
	const struct dfs_match_entry *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	/* DFS_MATCH_THE_FILE + 1 wraps to 0: the file itself comes first. */
	if (x->file != y->file)
		return (uint32_t)(x->file + 1) < (uint32_t)(y->file + 1) ? -1 : 1;
	/* Tensors of one file are in one array, in order of place. */
	return (x->tensor > y->tensor) - (x->tensor < y->tensor);
}

void dfs_match_index_sort(struct dfs_match_index *index)
{
	if (index->n > 0)
		qsort(index->entries, index->n, sizeof(*index->entries), entry_order);
}

const struct dfs_match_entry *dfs_match_index_find(const struct dfs_match_index *index, uint64_t key)
{
	size_t low = 0, high = index->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->entries[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low < index->n && index->entries[low].key == key ? &index->entries[low] : NULL;
}

const struct dfs_match_entry *dfs_match_index_next(const struct dfs_match_index *index,
						   const struct dfs_match_entry *entry)
{
	const struct dfs_match_entry *next = entry + 1;

	return next < index->entries + index->n && next->key == entry->key ? next : NULL;
}

void dfs_match_index_release(struct dfs_match_index *index)
{
	free(index->entries);
	*index = (struct dfs_match_index){ 0 };
}
