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

#define SLOTS_AT_FIRST 1024

int dfs_cache_init(struct dfs_cache *cache, size_t limit)
{
	*cache = (struct dfs_cache){ .limit = limit, .n_slots = SLOTS_AT_FIRST };
	cache->slots = calloc(cache->n_slots, sizeof(struct dfs_chunk *));
	if (!cache->slots)
		return -ENOMEM;
	pthread_mutex_init(&cache->lock, NULL);
	return 0;
}

void dfs_cache_release(struct dfs_cache *cache)
{
	if (!cache->slots)
		return;
	free(cache->slots);
	pthread_mutex_destroy(&cache->lock);
}

/* --- finding */

static struct dfs_chunk **slot_of(struct dfs_chunk **slots, size_t n_slots,
				  const struct dfs_view *view, uint32_t chunk)
{
	uint64_t h = ((uintptr_t)view >> 4) * 0x9e3779b97f4a7c15u + chunk * 0xd6e8feb86659fd93u;

	return &slots[(h ^ h >> 32) & (n_slots - 1)];
}

static struct dfs_chunk *find(const struct dfs_cache *cache, const struct dfs_view *view, uint32_t number)
{
	struct dfs_chunk *chunk = *slot_of(cache->slots, cache->n_slots, view, number);

	while (chunk && (chunk->view != view || chunk->extent.chunk != number))
		chunk = chunk->next_same;
	return chunk;
}

/* A table that cannot grow is slower, nothing else. */
static void grow(struct dfs_cache *cache)
{
	size_t n_slots = cache->n_slots * 4;
	struct dfs_chunk **slots = calloc(n_slots, sizeof(struct dfs_chunk *));

	if (!slots)
		return;
	for (size_t i = 0; i < cache->n_slots; i++) {
		while (cache->slots[i]) {
			struct dfs_chunk *chunk = cache->slots[i];
			struct dfs_chunk **to = slot_of(slots, n_slots, chunk->view, chunk->extent.chunk);

			cache->slots[i] = chunk->next_same;
			chunk->next_same = *to;
			*to = chunk;
		}
	}
	free(cache->slots);
	cache->slots = slots;
	cache->n_slots = n_slots;
}

static void hash_in(struct dfs_cache *cache, struct dfs_chunk *chunk)
{
	struct dfs_chunk **slot;

	if (cache->n_chunks > cache->n_slots)
		grow(cache);
	slot = slot_of(cache->slots, cache->n_slots, chunk->view, chunk->extent.chunk);
	chunk->next_same = *slot;
	*slot = chunk;
	chunk->hashed = true;
}

static void hash_out(struct dfs_cache *cache, struct dfs_chunk *chunk)
{
	struct dfs_chunk **at = slot_of(cache->slots, cache->n_slots, chunk->view, chunk->extent.chunk);

	if (!chunk->hashed)
		return;
	while (*at != chunk)
		at = &(*at)->next_same;
	*at = chunk->next_same;
	chunk->hashed = false;
}

/* --- lists */

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

static void idle_in(struct dfs_cache *cache, struct dfs_chunk *chunk)
{
	chunk->older = cache->newest;
	chunk->newer = NULL;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = chunk;
	cache->newest = chunk;
	chunk->idle = true;
}

static void idle_out(struct dfs_cache *cache, struct dfs_chunk *chunk)
{
	if (!chunk->idle)
		return;
	*(chunk->newer ? &chunk->newer->older : &cache->newest) = chunk->older;
	*(chunk->older ? &chunk->older->newer : &cache->oldest) = chunk->newer;
	chunk->idle = false;
}

/* --- room */

static size_t in_use(const struct dfs_cache *cache)
{
	return cache->reserved + cache->tables;
}

static void note_peak(struct dfs_cache *cache)
{
	if (in_use(cache) > cache->peak)
		cache->peak = in_use(cache);
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
	hash_out(cache, chunk);
	idle_out(cache, chunk);
	view_out(chunk);
	if (chunk->state == DFS_CHUNK_QUEUED)
		cache->flying--; /* never flew: memory ran out for its request */
	cache->reserved -= dfs_buffer_cost(chunk->extent.len);
	cache->n_chunks--;
	dfs_buffers_put(&view->reader->buffers, chunk->data, chunk->extent.len);
	free(chunk);
}

static bool make_room(struct dfs_cache *cache, size_t need)
{
	while (in_use(cache) + need > cache->limit && cache->oldest)
		chunk_free(cache, cache->oldest);
	return in_use(cache) + need <= cache->limit;
}

static struct dfs_chunk *chunk_new(struct dfs_cache *cache, struct dfs_view *view,
				   const struct dfs_extent *extent)
{
	struct dfs_chunk *chunk = calloc(1, sizeof(*chunk));
	struct timespec now;

	if (!chunk)
		return NULL;
	chunk->view = view;
	chunk->extent = *extent;
	chunk->state = DFS_CHUNK_QUEUED;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	chunk->born = now.tv_sec;
	cache->n_chunks++;
	cache->flying++;
	cache->reserved += dfs_buffer_cost(extent->len);
	note_peak(cache);
	hash_in(cache, chunk);
	view_in(chunk);
	return chunk;
}

/* --- what requests and flights do */

/* Pass one: hold what exists, so that making room cannot evict it. Return: bytes missing. */
static size_t hold_found(struct dfs_cache *cache, struct dfs_view *view, struct dfs_wait *waits, unsigned n)
{
	size_t need = 0;

	for (unsigned i = 0; i < n; i++) {
		struct dfs_chunk *chunk = find(cache, view, waits[i].extent.chunk);

		waits[i].chunk = chunk;
		if (!chunk) {
			need += dfs_buffer_cost(waits[i].extent.len);
			continue;
		}
		chunk->refs++;
		idle_out(cache, chunk);
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
	if (chunk->state == DFS_CHUNK_QUEUED && !chunk->raised)
		dfs_chunk_queue(chunk, DFS_URGENT);
	return 1;
}

int dfs_cache_take(struct dfs_cache *cache, struct dfs_view *view, struct dfs_wait *waits,
		   unsigned n, bool make)
{
	size_t need = hold_found(cache, view, waits, n);
	size_t n_before = cache->n_chunks;
	int pending = 0;

	if (need && !(make && (make_room(cache, need) || alone(cache)))) {
		unhold(cache, waits, n);
		return -EAGAIN;
	}
	if (need && !make_missing(cache, view, waits, n)) {
		unhold(cache, waits, n);
		return -ENOMEM;
	}
	cache->hits += n - (cache->n_chunks - n_before);
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

/* Guesses that nobody wanted make way for new ones after this. */
#define STALE_S 2

static bool spare_for_guess(struct dfs_cache *cache, size_t cost)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	while (cache->unasked + cost > UNASKED_SHARE(cache->limit)) {
		if (!cache->oldest || now.tv_sec - cache->oldest->born <= STALE_S)
			return false;
		chunk_free(cache, cache->oldest);
	}
	return make_room(cache, cost);
}

bool dfs_cache_ahead(struct dfs_cache *cache, struct dfs_view *view, const struct dfs_extent *extent)
{
	size_t cost = dfs_buffer_cost(extent->len);
	struct dfs_chunk *chunk;

	if (find(cache, view, extent->chunk))
		return true;
	if (cache->parked || view->closed || !spare_for_guess(cache, cost))
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
		hash_out(cache, chunk);
		cache->failures += ret != -ECANCELED;
	} else {
		cache->decoded++;
		cache->bytes_decoded += chunk->extent.len;
	}
	return waits;
}

void dfs_cache_drop(struct dfs_cache *cache, struct dfs_chunk *chunk)
{
	if (--chunk->refs)
		return;
	if (chunk->state != DFS_CHUNK_READY || chunk->view->closed ||
	    chunk->delivered >= chunk->extent.len)
		chunk_free(cache, chunk);
	else
		idle_in(cache, chunk);
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
