/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reader: what all open files of a process share, put together.
 */
#include "read/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "read/internal.h"
#include "read/limit.h"

/* The kernel's page cache is the real one; ours only bridges decode and delivery. */
#define CACHE_MAX (256u << 20)
#define CACHE_MIN (4u << 20)
#define CACHE_SHARE(memory) ((memory) / 8)

/* Part of the cache that opened tables may keep while nobody uses them. */
#define TABLES_SHARE(cache) ((cache) / 8)

/* Unused chunk buffers that are kept warm: a few windows' worth. */
#define SPARE_MAX (16u << 20)

/*
 * Decoded ahead of one reader: enough that both the kernel's largest request
 * (1 MiB) and the decode threads always have work. More only fills the cache.
 */
#define AHEAD_DEFAULT (4u << 20)

static size_t at_most(size_t value, size_t max)
{
	return value < max ? value : max;
}

static size_t cache_bytes(const struct dfs_reader_config *config)
{
	size_t bytes = config->cache_bytes;

	if (!bytes)
		bytes = at_most(CACHE_SHARE(dfs_memory_limit()), CACHE_MAX);
	return bytes > CACHE_MIN ? bytes : CACHE_MIN;
}

/*
 * A store whose disk hangs holds a thread a reader; a base that does,
 * DFS_GATE_MOST. Fewer: the rest waits with them; more: memory, 2 MiB a thread
 * at worst.
 */
#define SPARES 16

/* The open of a base on a server that is gone holds a thread that hints at it, too. */
#define HINT_SPARES 4

static int start_pools(struct dfs_reader *reader, const struct dfs_reader_config *config, struct dfs_err *err)
{
	struct dfs_pool_config decoders = {
		.threads = config->threads,
		.spares = config->idle ? 0 : SPARES,
		.idle = config->idle,
		.name = "decode",
		.local_new = dfs_worker_new,
		.local_free = dfs_worker_free,
	};
	struct dfs_pool_config hinters = { .threads = 1, .spares = HINT_SPARES, .name = "hint" };
	int ret;

	reader->decoders = dfs_pool_new(&decoders);
	if (reader->decoders)
		reader->hinters = dfs_pool_new(&hinters);
	ret = reader->hinters ? 0 : -errno;
	if (ret == 0)
		ret = dfs_settler_init(&reader->settler, config->bases, config->log, config->settle_after_ms);
	if (ret == 0 && config->store) /* else everything may be read */
		ret = dfs_allow_init(&reader->allow);
	return ret < 0 ? dfs_fail(err, -ret, "start decode threads: %s", strerror(-ret)) : 0;
}

int dfs_reader_new(const struct dfs_reader_config *config, struct dfs_reader **ret_reader, struct dfs_err *err)
{
	struct dfs_reader *reader = calloc(1, sizeof(*reader));
	size_t bytes = cache_bytes(config);
	int ret;

	if (!reader)
		return dfs_fail(err, ENOMEM, "out of memory");
	reader->bases = config->bases;
	reader->store = config->store;
	reader->log = config->log;
	reader->ahead_max = at_most(config->readahead_bytes ? config->readahead_bytes : AHEAD_DEFAULT, bytes / 4);
	pthread_mutex_init(&reader->views_lock, NULL);
	dfs_gates_init(&reader->gates);
	dfs_tables_init(&reader->tables, TABLES_SHARE(bytes));
	dfs_names_init(&reader->names);
	dfs_buffers_init(&reader->buffers, at_most(SPARE_MAX, bytes / 4));
	ret = dfs_cache_init(&reader->cache, bytes, config->metadata_bytes);
	if (ret < 0)
		dfs_fail(err, ENOMEM, "out of memory");
	else
		ret = start_pools(reader, config, err);
	if (ret < 0) {
		dfs_reader_free(reader);
		return ret;
	}
	*ret_reader = reader;
	return 0;
}

/*
 * Jobs of closed views may still run, or be parked; they end with the pools,
 * and what they used after them. A decode may have a question asked, or a base
 * hashed, but neither needs a decode any more once nobody is parked.
 */
void dfs_reader_free(struct dfs_reader *reader)
{
	if (!reader)
		return;
	dfs_settler_end(&reader->settler);
	dfs_gates_end(&reader->gates);
	dfs_pool_free(reader->decoders);
	dfs_pool_free(reader->hinters);
	dfs_allow_release(&reader->allow);
	dfs_settler_release(&reader->settler);
	dfs_gates_release(&reader->gates);
	dfs_cache_release(&reader->cache);
	dfs_names_release(&reader->names);
	dfs_tables_release(&reader->tables);
	dfs_buffers_release(&reader->buffers);
	pthread_mutex_destroy(&reader->views_lock);
	free(reader);
}

void dfs_reader_shown_at(struct dfs_reader *reader, dev_t dev)
{
	if (reader->bases)
		dfs_bases_shown_at(reader->bases, dev);
}

void dfs_reader_note(struct dfs_reader *reader)
{
	dfs_settler_note_read(&reader->settler);
}

static bool needs(const struct dfs_container *c, const struct dfs_hash *hashes, size_t n)
{
	for (uint32_t b = 0; b < c->n_bases; b++)
		for (size_t i = 0; i < n; i++)
			if (dfs_hash_equal(c->bases[b].hash, hashes[i]))
				return true;
	return false;
}

bool dfs_reader_uses(struct dfs_reader *reader, const struct dfs_hash *hashes, size_t n)
{
	bool found = false;

	pthread_mutex_lock(&reader->views_lock);
	for (const struct dfs_view *view = reader->views; view && !found; view = view->next)
		found = needs(view->container, hashes, n);
	pthread_mutex_unlock(&reader->views_lock);
	return found;
}

size_t dfs_reader_metadata_most(const struct dfs_reader *reader)
{
	return dfs_cache_metadata_most(&reader->cache);
}

void dfs_reader_stats(struct dfs_reader *reader, struct dfs_reader_stats *ret_stats)
{
	struct dfs_cache *cache = &reader->cache;

	pthread_mutex_lock(&cache->lock);
	*ret_stats = (struct dfs_reader_stats){
		.chunks_decoded = cache->decoded,
		.chunks_hit = cache->hits,
		.bytes_decoded = cache->bytes_decoded,
		.bytes_delivered = cache->bytes_delivered,
		.failures = cache->failures,
		.cache_bytes_now = cache->reserved + cache->tables + cache->metadata,
		.cache_bytes_peak = cache->peak,
	};
	pthread_mutex_unlock(&cache->lock);
}
