/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ultradelta_encode: the levels of those that are kept, and where these are,
 * if that is stored.
 */
#include <errno.h>

#include "codec/ultradelta.h"

struct job {
	const struct dfs_block *block;
	const struct dfs_ultra_table *table;
	struct dfs_ultra_notes notes;
	const uint8_t *map;	/* NULL: points are levels */
	struct dfs_span chunks;
	enum dfs_cpu cpu;
	uint32_t *places;	/* n */
	uint8_t *codes;		/* n */
};

static void quantise(const struct job *job, const float *values, size_t n, uint8_t *codes)
{
	for (size_t at = 0; at < n; at += DFS_ULTRA_BLOCK) {
		size_t now = n - at < DFS_ULTRA_BLOCK ? n - at : DFS_ULTRA_BLOCK;
		uint16_t points[DFS_ULTRA_BLOCK];

		dfs_ultra_points(job->cpu, &job->notes.grid, values + at, now, points);
		if (job->map)
			for (size_t i = 0; i < now; i++)
				codes[at + i] = job->map[points[i]];
		else
			for (size_t i = 0; i < now; i++)
				codes[at + i] = (uint8_t)points[i];
	}
}

/* --- seeded */

static void quantise_places(const struct job *job, const float *delta, size_t kept)
{
	for (size_t at = 0; at < kept; at += DFS_ULTRA_BLOCK) {
		size_t now = kept - at < DFS_ULTRA_BLOCK ? kept - at : DFS_ULTRA_BLOCK;
		float some[DFS_ULTRA_BLOCK];

		for (size_t i = 0; i < now; i++)
			some[i] = delta[job->places[at + i]];
		quantise(job, some, now, job->codes + at);
	}
}

static long seeded(const struct job *job, const float *delta)
{
	const struct dfs_block *b = job->block;
	size_t kept = dfs_ultra_kept(job->table, b->first + b->n) - dfs_ultra_kept(job->table, b->first);

	dfs_ultra_places(job->cpu, job->table, b->first, b->n, kept, job->places);
	quantise_places(job, delta, kept);
	return (long)kept;
}

/* --- stored */

/* The quotas of the chunk that begins at @first: by halves, as chunks rise. */
static void find_quotas(const struct job *job, uint64_t first, struct dfs_ultra_quota *quotas)
{
	size_t size = dfs_ultra_quotas_size(job->table->bits);
	uint64_t low = 0, high = job->notes.n_chunks;

	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2, begin;

		memcpy(&begin, job->chunks.data + middle * size, sizeof(begin));
		if (begin <= first)
			low = middle;
		else
			high = middle;
	}
	memcpy(quotas, job->chunks.data + low * size + sizeof(struct dfs_ultra_quotas), size - sizeof(struct dfs_ultra_quotas));
}

static long stored(const struct job *job, const float *delta, struct dfs_scratch *scratch)
{
	const struct dfs_block *b = job->block;
	struct dfs_ultra_quota quotas[DFS_ULTRA_LEVELS_MAX];

	find_quotas(job, b->first, quotas);
	quantise(job, delta, b->n, job->codes);
	return dfs_ultra_select(job->cpu, job->table, b->first, b->n, quotas, job->codes, job->places, scratch);
}

/* --- both */

static int job_init(struct job *job, const struct dfs_block *block, const struct dfs_table *table,
		    struct dfs_span notes, struct dfs_scratch *scratch)
{
	size_t head = sizeof(job->notes);

	job->block = block;
	job->table = (const struct dfs_ultra_table *)table;
	memcpy(&job->notes, notes.data, head);
	job->map = job->notes.codebook ? notes.data + head : NULL;
	head += job->map ? DFS_ULTRA_BINS : 0;
	job->chunks = (struct dfs_span){ notes.data + head, notes.len - head };
	job->cpu = dfs_scratch_cpu(scratch);
	job->places = dfs_scratch_get(scratch, DFS_SLOT_SPLIT, block->n * sizeof(*job->places));
	job->codes = dfs_scratch_get(scratch, DFS_SLOT_SYMBOLS, block->n);
	return job->places && job->codes ? 0 : -ENOMEM;
}

int dfs_ultra_encode(const struct dfs_block *block, float *delta, const struct dfs_table *table, struct dfs_span notes,
		     uint8_t *payload, size_t *ret_len, struct dfs_scratch *scratch)
{
	struct job job;
	size_t len = 0;
	long kept, codes;

	if (job_init(&job, block, table, notes, scratch) < 0)
		return -ENOMEM;
	if (job.table->mask == DFS_ULTRA_SEEDED)
		kept = seeded(&job, delta);
	else
		kept = stored(&job, delta, scratch);
	if (kept < 0)
		return (int)kept;
	if (job.table->mask == DFS_ULTRA_STORED)
		len = dfs_ultra_places_put(job.places, (size_t)kept, block->n, payload);
	codes = dfs_ultra_codes_put(job.table, job.codes, (size_t)kept, payload + len, scratch);
	if (codes < 0)
		return (int)codes;
	*ret_len = len + (size_t)codes;
	return 0;
}
