/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flight: a chunk's way through a decode thread.
 *
 * READ: cache.c -> this -> chunk.c, and back -> request.c
 *
 * A chunk whose base hangs sleeps at a gate (gate.h) and begins anew after it.
 * A chunk that was queued as a guess and is then asked for moves into the queue
 * of the urgent ones.
 */
#include <errno.h>
#include <stdio.h>

#include "codec/codec.h"
#include "read/internal.h"
#include "read/request.h"

static void chunk_run(struct dfs_job *job, void *local);

void dfs_chunk_queue(struct dfs_chunk *chunk, enum dfs_urgency urgency)
{
	chunk->job.run = chunk_run;
	chunk->queued = true;
	chunk->urgent = urgency == DFS_URGENT;
	chunk->refs++;
	dfs_view_ref(chunk->view);
	dfs_pool_submit(chunk->view->reader->decoders, &chunk->job, urgency);
}

void dfs_chunk_raise(struct dfs_chunk *chunk)
{
	chunk->urgent = true;
	dfs_pool_raise(chunk->view->reader->decoders, &chunk->job, DFS_AHEAD);
}

/* Always urgent: nobody else would take it from a pool that is ending. */
void dfs_chunk_resume(struct dfs_chunk *chunk)
{
	chunk->urgent = true;
	dfs_pool_submit(chunk->view->reader->decoders, &chunk->job, DFS_URGENT);
}

void dfs_chunk_wake(struct dfs_chunk *chunk)
{
	struct dfs_cache *cache = &chunk->view->reader->cache;

	pthread_mutex_lock(&cache->lock);
	dfs_cache_wake(cache, chunk);
	pthread_mutex_unlock(&cache->lock);
}

/* Its job and what it holds stay; once parked it is somebody else's. */
static void chunk_sleep(struct dfs_chunk *chunk, const struct dfs_gate_key *blocked)
{
	struct dfs_reader *reader = chunk->view->reader;
	struct dfs_request *ready = NULL;

	pthread_mutex_lock(&reader->cache.lock);
	dfs_cache_sleep(&reader->cache, chunk);
	dfs_requests_admit(&reader->cache, &ready);
	pthread_mutex_unlock(&reader->cache.lock);
	dfs_requests_end(ready);
	if (!dfs_gate_park(&reader->gates, blocked, chunk))
		dfs_chunk_wake(chunk);
}

/* Return: false for a guess for a file that was closed since: it is not worth the work. */
static bool chunk_begin(struct dfs_cache *cache, struct dfs_chunk *chunk)
{
	bool wanted;

	pthread_mutex_lock(&cache->lock);
	chunk->state = DFS_CHUNK_DECODING;
	wanted = chunk->waits || !chunk->view->closed;
	pthread_mutex_unlock(&cache->lock);
	return wanted;
}

static int chunk_decode(struct dfs_chunk *chunk, struct dfs_worker *worker, uint8_t **ret_data, struct dfs_err *err)
{
	struct dfs_view *view = chunk->view;
	const struct dfs_extent *extent = &chunk->extent;
	uint8_t *data = dfs_buffers_get(&view->reader->buffers, extent->len);
	int ret;

	if (!worker || !data)
		ret = dfs_fail(err, ENOMEM, "out of memory");
	else
		ret = dfs_chunk_decode(view, extent, worker, data, err);
	if (ret == 0) {
		*ret_data = data;
		dfs_hint_decoded(view, extent->chunk);
		return 0;
	}
	dfs_buffers_put(&view->reader->buffers, data, extent->len);
	if (ret == -EAGAIN)
		return ret;
	dfs_names_explain(view, extent, worker, err);
	return dfs_err_at(err, ret, "%s", view->name);
}

static void chunk_end(struct dfs_cache *cache, struct dfs_chunk *chunk, uint8_t *data, int ret,
		      const struct dfs_err *err)
{
	struct dfs_request *ready = NULL;
	struct dfs_wait *waits;

	pthread_mutex_lock(&cache->lock);
	waits = dfs_cache_finish(cache, chunk, data, ret);
	dfs_requests_serve(waits, ret, err, &ready);
	dfs_cache_drop(cache, chunk);
	dfs_requests_admit(cache, &ready);
	pthread_mutex_unlock(&cache->lock);
	dfs_requests_end(ready);
}

static void chunk_run(struct dfs_job *job, void *local)
{
	struct dfs_chunk *chunk = (struct dfs_chunk *)((char *)job - offsetof(struct dfs_chunk, job));
	struct dfs_worker *worker = local;
	struct dfs_view *view = chunk->view;
	struct dfs_cache *cache = &view->reader->cache;
	uint64_t len = chunk->extent.len;
	struct dfs_err err = { "" };
	uint8_t *data = NULL;
	int ret = -ECANCELED;

	if (chunk_begin(cache, chunk))
		ret = chunk_decode(chunk, worker, &data, &err);
	if (ret == -EAGAIN) {
		struct dfs_gate_key blocked = worker->blocked;

		dfs_worker_trim(worker, len);
		chunk_sleep(chunk, &blocked);
		return;
	}
	chunk_end(cache, chunk, data, ret, &err);
	if (worker)
		dfs_worker_trim(worker, len);
	dfs_view_unref(view);
}
