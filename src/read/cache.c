/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cache: the books of cache.h. Everything here runs under cache->lock and is
 * short; decoding is flight.c's, waiting is request.c's.
 */
#include "read/cache.h"

#include <errno.h>
#include <stdlib.h>

#include "read/internal.h"

/*
 * Guesses may fill this part of the limit. More: a file read alone gets a
 * longer run ahead; less: more readers share the cache before they evict what
 * was decoded for each other.
 */
#define UNASKED_SHARE(limit) ((limit) / 2)

/*
 * Metadata of open files may fill this part. More: files cannot be read for
 * lack of room for chunks; less: fewer can be open, 600 GiB of models at 256 MiB.
 */
#define METADATA_SHARE(limit) ((limit) / 4 * 3)

int dfs_cache_init(struct dfs_cache *cache, size_t limit, size_t metadata_limit)
{
	*cache = (struct dfs_cache){ .limit = limit, .metadata_limit = metadata_limit };
	cache->woken_end = &cache->woken;
	pthread_mutex_init(&cache->lock, NULL);
	return dfs_chunks_init(&cache->chunks);
}

void dfs_cache_release(struct dfs_cache *cache)
{
	dfs_chunks_release(&cache->chunks);
	pthread_mutex_destroy(&cache->lock);
}

/* --- time */

/*
 * Guesses that nobody wanted make way for new ones after this; and what was
 * delivered is not guessed again before: the kernel has it, and the cursor
 * that guesses it lags behind another.
 */
#define STALE_S 2

static time_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

/* A byte a chunk: when it was delivered, in seconds modulo 255, plus one. */
static uint8_t stamp(time_t s)
{
	return (uint8_t)(s % 255 + 1);
}

static bool just_served(const struct dfs_view *view, uint32_t chunk)
{
	return view->served[chunk] && (stamp(now_s()) - view->served[chunk] + 255) % 255 <= STALE_S;
}

/* --- room */

static size_t in_use(const struct dfs_cache *cache)
{
	return cache->reserved + cache->tables + (cache->metadata_limit ? 0 : cache->metadata);
}

static void note_peak(struct dfs_cache *cache)
{
	if (in_use(cache) > cache->peak)
		cache->peak = in_use(cache);
}

int dfs_cache_admit(struct dfs_cache *cache, uint64_t bytes)
{
	uint64_t cost = bytes * DFS_METADATA_COST;
	size_t all = cache->metadata_limit ? cache->metadata_limit : METADATA_SHARE(cache->limit);
	bool fits;

	if (bytes > dfs_cache_metadata_most(cache) / DFS_METADATA_COST)
		return -E2BIG;
	pthread_mutex_lock(&cache->lock);
	fits = cache->metadata + cost <= all;
	if (fits)
		cache->metadata += cost;
	note_peak(cache);
	pthread_mutex_unlock(&cache->lock);
	return fits ? 0 : -ENOMEM;
}

size_t dfs_cache_metadata_most(const struct dfs_cache *cache)
{
	return cache->metadata_limit ? cache->metadata_limit / 3 * 2 : cache->limit / 2;
}

void dfs_cache_dismiss(struct dfs_cache *cache, uint64_t cost)
{
	pthread_mutex_lock(&cache->lock);
	cache->metadata -= cost;
	pthread_mutex_unlock(&cache->lock);
}

void dfs_cache_tables(struct dfs_cache *cache, size_t bytes)
{
	cache->tables = bytes;
	note_peak(cache);
}

static void asked(struct dfs_cache *cache, struct dfs_chunk *chunk)
{
	if (!chunk->unasked)
		return;
	chunk->unasked = false;
	cache->unasked -= dfs_buffer_cost(chunk->extent.len);
}

static void chunk_free(struct dfs_cache *cache, struct dfs_chunk *chunk)
{
	struct dfs_view *view = chunk->view;

	asked(cache, chunk);
	dfs_idle_remove(chunk);
	dfs_chunks_remove(&cache->chunks, chunk);
	if (chunk->state == DFS_CHUNK_QUEUED)
		cache->flying--; /* never flew: memory ran out for its request */
	cache->reserved -= dfs_buffer_cost(chunk->extent.len);
	dfs_buffers_put(&view->reader->buffers, chunk->data, chunk->extent.len);
	free(chunk);
}

static bool make_room(struct dfs_cache *cache, size_t need)
{
	while (in_use(cache) + need > cache->limit && cache->idle.oldest)
		chunk_free(cache, cache->idle.oldest);
	return in_use(cache) + need <= cache->limit;
}

static struct dfs_chunk *chunk_new(struct dfs_cache *cache, struct dfs_view *view,
				   const struct dfs_extent *extent)
{
	struct dfs_chunk *chunk = calloc(1, sizeof(*chunk));

	if (!chunk)
		return NULL;
	chunk->view = view;
	chunk->extent = *extent;
	chunk->state = DFS_CHUNK_QUEUED;
	chunk->born = now_s();
	cache->flying++;
	cache->reserved += dfs_buffer_cost(extent->len);
	note_peak(cache);
	dfs_chunks_insert(&cache->chunks, chunk);
	return chunk;
}

/* --- what requests and flights do */

/* Pass one: hold what exists, so that making room cannot evict it. Return: bytes missing. */
static size_t hold_found(struct dfs_cache *cache, struct dfs_view *view, struct dfs_wait *waits, unsigned n)
{
	size_t need = 0;

	for (unsigned i = 0; i < n; i++) {
		struct dfs_chunk *chunk = dfs_chunks_find(&cache->chunks, view, waits[i].extent.chunk);

		waits[i].chunk = chunk;
		if (!chunk) {
			need += dfs_buffer_cost(waits[i].extent.len);
			continue;
		}
		chunk->refs++;
		dfs_idle_remove(chunk);
	}
	return need;
}

static bool make_missing(struct dfs_cache *cache, struct dfs_view *view, struct dfs_wait *waits, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (waits[i].chunk)
			continue;
		waits[i].chunk = chunk_new(cache, view, &waits[i].extent);
		if (!waits[i].chunk)
			return false;
		waits[i].chunk->refs++;
	}
	return true;
}

/* Nobody else holds anything or will: waiting would not make room. */
static bool alone(const struct dfs_cache *cache)
{
	return cache->taken == 0 && cache->flying == 0;
}

static void unhold(struct dfs_cache *cache, struct dfs_wait *waits, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (waits[i].chunk)
			dfs_cache_drop(cache, waits[i].chunk);
}

static int wait_for(struct dfs_cache *cache, struct dfs_wait *wait)
{
	struct dfs_chunk *chunk = wait->chunk;

	asked(cache, chunk);
	if (chunk->state == DFS_CHUNK_READY)
		return 0;
	wait->next = chunk->waits;
	chunk->waits = wait;
	if (!chunk->queued)
		dfs_chunk_queue(chunk, DFS_URGENT);
	else if (chunk->state == DFS_CHUNK_QUEUED && !chunk->urgent)
		dfs_chunk_raise(chunk);
	return 1;
}

int dfs_cache_take(struct dfs_cache *cache, struct dfs_view *view, struct dfs_wait *waits,
		   unsigned n, bool make)
{
	size_t need = hold_found(cache, view, waits, n);
	size_t n_before;
	int pending = 0;

	if (need && !(make && (make_room(cache, need) || alone(cache)))) {
		unhold(cache, waits, n);
		return -EAGAIN;
	}
	n_before = cache->chunks.n;
	if (need && !make_missing(cache, view, waits, n)) {
		unhold(cache, waits, n);
		return -ENOMEM;
	}
	cache->hits += n - (cache->chunks.n - n_before);
	cache->taken++;
	for (unsigned i = 0; i < n; i++)
		pending += wait_for(cache, &waits[i]);
	return pending;
}

static uint64_t overlap(const struct dfs_extent *extent, uint64_t off, uint64_t end)
{
	uint64_t from = off > extent->off ? off : extent->off;
	uint64_t to = end < extent->off + extent->len ? end : extent->off + extent->len;

	return from < to ? to - from : 0;
}

void dfs_cache_give(struct dfs_cache *cache, struct dfs_wait *waits, unsigned n,
		    uint64_t off, uint64_t end)
{
	cache->taken--;
	for (unsigned i = 0; i < n; i++) {
		uint64_t bytes = overlap(&waits[i].extent, off, end);

		waits[i].chunk->delivered += bytes;
		cache->bytes_delivered += bytes;
		dfs_cache_drop(cache, waits[i].chunk);
	}
}

static bool spare_for_guess(struct dfs_cache *cache, size_t cost)
{
	while (cache->unasked + cost > UNASKED_SHARE(cache->limit)) {
		struct dfs_chunk *oldest = cache->idle.oldest;

		if (!oldest || now_s() - oldest->born <= STALE_S)
			return false;
		chunk_free(cache, oldest);
	}
	return make_room(cache, cost);
}

bool dfs_cache_ahead(struct dfs_cache *cache, struct dfs_view *view, const struct dfs_extent *extent)
{
	size_t cost = dfs_buffer_cost(extent->len);
	struct dfs_chunk *chunk;

	if (dfs_chunks_find(&cache->chunks, view, extent->chunk) || just_served(view, extent->chunk))
		return true;
	if (cache->parked || cache->woken || view->closed || !spare_for_guess(cache, cost))
		return false;
	chunk = chunk_new(cache, view, extent);
	if (!chunk)
		return false;
	chunk->unasked = true;
	cache->unasked += cost;
	dfs_chunk_queue(chunk, DFS_AHEAD);
	return true;
}

struct dfs_wait *dfs_cache_finish(struct dfs_cache *cache, struct dfs_chunk *chunk, uint8_t *data, int ret)
{
	struct dfs_wait *waits = chunk->waits;

	chunk->waits = NULL;
	chunk->data = data;
	chunk->state = ret < 0 ? DFS_CHUNK_FAILED : DFS_CHUNK_READY;
	cache->flying--;
	if (ret < 0) {
		dfs_chunks_hide(&cache->chunks, chunk);
		cache->failures += ret != -ECANCELED;
	} else {
		cache->decoded++;
		cache->bytes_decoded += chunk->extent.len;
	}
	return waits;
}

/* --- chunks that sleep */

void dfs_cache_sleep(struct dfs_cache *cache, struct dfs_chunk *chunk)
{
	asked(cache, chunk); /* of the room for guesses, too */
	cache->reserved -= dfs_buffer_cost(chunk->extent.len);
	cache->flying--;
}

void dfs_cache_wake(struct dfs_cache *cache, struct dfs_chunk *chunk)
{
	chunk->next_parked = NULL;
	*cache->woken_end = chunk;
	cache->woken_end = &chunk->next_parked;
	dfs_cache_admit_woken(cache);
}

void dfs_cache_admit_woken(struct dfs_cache *cache)
{
	while (cache->woken) {
		struct dfs_chunk *chunk = cache->woken;
		size_t cost = dfs_buffer_cost(chunk->extent.len);

		/* those who hold the room may be waiting for this very chunk */
		if (!make_room(cache, cost) && cache->flying)
			return;
		cache->woken = chunk->next_parked;
		if (!cache->woken)
			cache->woken_end = &cache->woken;
		cache->reserved += cost;
		cache->flying++;
		note_peak(cache);
		dfs_chunk_resume(chunk);
	}
}

void dfs_cache_drop(struct dfs_cache *cache, struct dfs_chunk *chunk)
{
	bool delivered = chunk->delivered >= chunk->extent.len;

	if (--chunk->refs)
		return;
	if (delivered)
		chunk->view->served[chunk->extent.chunk] = stamp(now_s());
	if (delivered || chunk->state != DFS_CHUNK_READY || chunk->view->closed)
		chunk_free(cache, chunk);
	else
		dfs_idle_add(&cache->idle, chunk);
}

void dfs_cache_forget(struct dfs_cache *cache, struct dfs_view *view)
{
	struct dfs_chunk *next;

	view->closed = true;
	for (struct dfs_chunk *chunk = view->chunks; chunk; chunk = next) {
		next = chunk->next_of_view;
		if (chunk->idle)
			chunk_free(cache, chunk);
	}
}
