/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "codec/internal.h"

struct dfs_scratch {
	struct {
		void *data;
		size_t cap;
	} slots[DFS_SCRATCH_SLOTS];
	struct {
		void *object;
		void (*end)(void *object);
	} objects[DFS_OBJECTS];
	enum dfs_cpu cpu;
};

_Static_assert(DFS_SLOT_FACTORS < DFS_SCRATCH_SLOTS, "a slot for each user");

struct dfs_scratch *dfs_scratch_new(void)
{
	struct dfs_scratch *scratch = calloc(1, sizeof(*scratch));

	if (scratch)
		scratch->cpu = dfs_cpu_best();
	return scratch;
}

void dfs_scratch_free(struct dfs_scratch *scratch)
{
	if (!scratch)
		return;
	for (unsigned i = 0; i < DFS_SCRATCH_SLOTS; i++)
		free(scratch->slots[i].data);
	for (unsigned i = 0; i < DFS_OBJECTS; i++)
		if (scratch->objects[i].object)
			scratch->objects[i].end(scratch->objects[i].object);
	free(scratch);
}

void **dfs_scratch_object(struct dfs_scratch *scratch, enum dfs_scratch_object which,
			  void (*end)(void *object))
{
	scratch->objects[which].end = end;
	return &scratch->objects[which].object;
}

void *dfs_scratch_get(struct dfs_scratch *scratch, unsigned slot, size_t len)
{
	size_t cap = (len + 63) / 64 * 64;

	if (cap <= scratch->slots[slot].cap && scratch->slots[slot].data)
		return scratch->slots[slot].data;
	free(scratch->slots[slot].data);
	scratch->slots[slot].cap = 0;
	scratch->slots[slot].data = aligned_alloc(64, cap ? cap : 64);
	if (scratch->slots[slot].data)
		scratch->slots[slot].cap = cap;
	return scratch->slots[slot].data;
}

void dfs_scratch_set_cpu(struct dfs_scratch *scratch, enum dfs_cpu level)
{
	enum dfs_cpu best = dfs_cpu_best();

	scratch->cpu = level < best ? level : best;
}

enum dfs_cpu dfs_scratch_cpu(const struct dfs_scratch *scratch)
{
	return scratch->cpu;
}
