/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * request: from a submitted read to its answer.
 *
 * READ: view.c -> this -> cache.c
 *
 * A read is served in rounds of at most ROUND_CHUNKS chunks. An ordinary one
 * has a single round and is answered from the chunks themselves; one that
 * spans more is put together in a buffer of its own, so that neither its
 * memory nor its hold on the cache grows with the number of chunks that a
 * hostile container cuts a file into.
 */
#include "read/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "read/internal.h"

/* 1 MiB on the grid is 9 chunks; small tensors add some. A wait is 72 bytes. */
#define ROUND_CHUNKS 64

struct dfs_request {
	struct dfs_read *read;
	struct dfs_view *view;		/* referenced */
	uint64_t off, end;		/* this round's bytes of the file */
	uint64_t last;			/* where the read ends */
	uint8_t *flat;			/* reads of several rounds: from read->off on */
	struct dfs_request *next;	/* parked, or in a list of ready ones */
	unsigned n;			/* waits of this round */
	unsigned max;
	unsigned pending;		/* chunks not there yet; under cache->lock */
	int ret;			/* the first failure; under cache->lock while pending */
	struct dfs_err err;
	struct dfs_wait waits[];
};

/* --- rounds */

static void round_fill(struct dfs_request *req)
{
	struct dfs_extent extent = dfs_extent_at(req->view, req->off);

	req->n = 0;
	do {
		req->waits[req->n++] = (struct dfs_wait){ .request = req, .extent = extent };
		req->end = extent.off + extent.len;
	} while (req->end < req->last && req->n < req->max && dfs_extent_next(req->view, &extent));
	if (req->end > req->last)
		req->end = req->last;
}

static unsigned count_chunks(const struct dfs_view *view, uint64_t off, uint64_t end)
{
	struct dfs_extent extent = dfs_extent_at(view, off);
	unsigned n = 1;

	while (extent.off + extent.len < end && n < ROUND_CHUNKS && dfs_extent_next(view, &extent))
		n++;
	return n;
}

static void request_free(struct dfs_request *req)
{
	free(req->flat);
	dfs_view_unref(req->view);
	free(req);
}

static struct dfs_request *request_new(struct dfs_view *view, struct dfs_read *read)
{
	uint64_t last = read->len < view->size - read->off ? read->off + read->len : view->size;
	unsigned max = count_chunks(view, read->off, last);
	struct dfs_request *req = calloc(1, sizeof(*req) + max * sizeof(req->waits[0]));

	if (!req)
		return NULL;
	dfs_view_ref(view);
	req->view = view;
	req->read = read;
	req->off = read->off;
	req->last = last;
	req->max = max;
	round_fill(req);
	if (req->end == req->last)
		return req;
	req->flat = malloc(last - read->off);
	if (req->flat)
		return req;
	request_free(req);
	return NULL;
}

/* --- under cache->lock */

static void push(struct dfs_request **list, struct dfs_request *req)
{
	req->next = *list;
	*list = req;
}

/*
 * Return: false if there is no room. A request that needs nothing new passes
 * those that are parked: it must not wait for their decodes.
 */
static bool round_start(struct dfs_cache *cache, struct dfs_request *req, bool first, struct dfs_request **ready)
{
	int ret = dfs_cache_take(cache, req->view, req->waits, req->n, first);

	if (ret == -EAGAIN)
		return false;
	if (ret < 0) {
		req->ret = dfs_fail(&req->err, ENOMEM, "%s: out of memory", req->view->name);
		req->n = 0;
	}
	req->pending = ret > 0 ? (unsigned)ret : 0;
	if (!req->pending)
		push(ready, req);
	return true;
}

static void park(struct dfs_cache *cache, struct dfs_request *req)
{
	req->next = NULL;
	*(cache->parked ? &cache->parked_last->next : &cache->parked) = req;
	cache->parked_last = req;
}

static void start_or_park(struct dfs_cache *cache, struct dfs_request *req, struct dfs_request **ready)
{
	if (!round_start(cache, req, !cache->parked, ready))
		park(cache, req);
}

void dfs_requests_admit(struct dfs_cache *cache, struct dfs_request **ready)
{
	dfs_cache_admit_woken(cache);
	while (cache->parked) {
		struct dfs_request *req = cache->parked;
		struct dfs_request *next = req->next;

		if (!round_start(cache, req, true, ready))
			return;
		cache->parked = next;
	}
}

void dfs_requests_serve(struct dfs_wait *waits, int ret, const struct dfs_err *err, struct dfs_request **ready)
{
	struct dfs_wait *next;

	for (; waits; waits = next) {
		struct dfs_request *req = waits->request;

		next = waits->next;
		if (ret < 0 && !req->ret) {
			req->ret = ret;
			req->err = *err;
		}
		if (--req->pending == 0)
			push(ready, req);
	}
}

/* --- answering */

static int round_iov(const struct dfs_request *req, struct iovec *iov)
{
	for (unsigned i = 0; i < req->n; i++) {
		const struct dfs_extent *extent = &req->waits[i].extent;
		uint64_t from = req->off > extent->off ? req->off : extent->off;
		uint64_t to = req->end < extent->off + extent->len ? req->end : extent->off + extent->len;

		iov[i].iov_base = req->waits[i].chunk->data + (from - extent->off);
		iov[i].iov_len = to - from;
	}
	return (int)req->n;
}

static void round_collect(struct dfs_request *req, const struct iovec *iov, int n)
{
	uint8_t *to = req->flat + (req->off - req->read->off);

	for (int i = 0; i < n; i++) {
		memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
}

static void answer(struct dfs_request *req, struct iovec *iov, int n)
{
	if (req->ret < 0) {
		req->read->done(req->read, req->ret, NULL, 0, &req->err);
		return;
	}
	if (req->flat) {
		iov[0] = (struct iovec){ req->flat, req->last - req->read->off };
		n = 1;
	}
	req->read->done(req->read, 0, iov, n, NULL);
}

/* Return: whether the request is over; else its next round is to be started. */
static bool round_end(struct dfs_request *req)
{
	struct iovec iov[ROUND_CHUNKS];
	int n = 0;

	if (req->ret == 0) {
		n = round_iov(req, iov);
		if (req->flat)
			round_collect(req, iov, n);
		if (req->end < req->last)
			return false;
	}
	answer(req, iov, n);
	return true;
}

static void request_end(struct dfs_request *req, struct dfs_request **ready)
{
	struct dfs_cache *cache = &req->view->reader->cache;
	bool over = round_end(req);

	pthread_mutex_lock(&cache->lock);
	if (req->n)
		dfs_cache_give(cache, req->waits, req->n, req->off, req->ret < 0 ? req->off : req->end);
	if (!over) {
		req->off = req->end;
		round_fill(req);
		start_or_park(cache, req, ready);
	}
	dfs_requests_admit(cache, ready);
	pthread_mutex_unlock(&cache->lock);
	if (over)
		request_free(req);
}

void dfs_requests_end(struct dfs_request *ready)
{
	while (ready) {
		struct dfs_request *req = ready;

		ready = req->next;
		request_end(req, &ready);
	}
}

/* --- the way in */

void dfs_view_submit(struct dfs_view *view, struct dfs_read *read)
{
	struct dfs_cache *cache = &view->reader->cache;
	struct dfs_request *ready = NULL;
	struct dfs_request *req;
	unsigned cursor;

	if (read->off >= view->size || read->len == 0) {
		read->done(read, 0, NULL, 0, NULL);
		return;
	}
	if (!view->container) {
		dfs_plain_submit(view, read);
		return;
	}
	req = request_new(view, read);
	if (!req) {
		struct dfs_err err;

		dfs_fail(&err, ENOMEM, "%s: out of memory", view->name);
		read->done(read, -ENOMEM, NULL, 0, &err);
		return;
	}
	dfs_settler_note_read(&view->reader->settler);
	cursor = dfs_ahead_note(view, req->off, req->last);
	dfs_view_ref(view); /* the request may be over before the guesses are made */
	pthread_mutex_lock(&cache->lock);
	start_or_park(cache, req, &ready);
	pthread_mutex_unlock(&cache->lock);
	dfs_requests_end(ready);
	dfs_ahead_run(view, cursor);
	dfs_view_unref(view);
}
