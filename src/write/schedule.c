/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schedule: two cursors over the file, measure ahead of encode, and a ring of
 * spans between the encoding threads and the one that writes (the caller's).
 */
#include "write/schedule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "write/give_up.h"
#include "write/run.h"

/* Segments that measuring may be ahead: each holds its record or its tables. */
#define AHEAD 16

void dfs_run_note(struct dfs_run *r)
{
	r->events++;
	pthread_cond_signal(&r->changed);
}

void dfs_run_fail(struct dfs_run *r, int ret, const struct dfs_err *err)
{
	pthread_mutex_lock(&r->lock);
	if (r->ret == 0) {
		r->ret = ret;
		r->err = *err;
	}
	dfs_run_note(r);
	pthread_mutex_unlock(&r->lock);
}

bool dfs_run_failed(struct dfs_run *r)
{
	bool failed;

	pthread_mutex_lock(&r->lock);
	failed = r->ret < 0;
	pthread_mutex_unlock(&r->lock);
	return failed;
}

static void slot_run(struct dfs_job *job, void *hand)
{
	struct dfs_slot *slot = (struct dfs_slot *)job;
	struct dfs_run *r = slot->run;
	struct dfs_err err = { "" };
	int ret = 0;

	if (!dfs_run_failed(r))
		ret = dfs_span_encode(r->w, &slot->coded, hand, &err);
	if (ret < 0)
		dfs_run_fail(r, ret, &err);
	pthread_mutex_lock(&r->lock);
	slot->done = true;
	dfs_run_note(r);
	pthread_mutex_unlock(&r->lock);
}

/* Past a span; over segments without chunks. Return: whether the cursor stands on a chunk. */
static bool cursor_settle(const struct dfs_work *w, struct dfs_cursor *c, uint32_t step)
{
	c->chunk += step;
	while (c->segment < w->c.n_segments && c->chunk >= w->c.segments[c->segment].n_chunks) {
		c->segment++;
		c->chunk = 0;
	}
	return c->segment < w->c.n_segments;
}

static struct dfs_look *take_idle(struct dfs_run *r)
{
	struct dfs_look *look;

	pthread_mutex_lock(&r->lock);
	look = r->idle;
	if (look)
		r->idle = look->next;
	pthread_mutex_unlock(&r->lock);
	return look;
}

/* Nothing to find out about plain bytes: no first pass over them. */
static int skip_measure(struct dfs_run *r, struct dfs_err *err)
{
	const struct dfs_segment *seg = &r->w->c.segments[r->measure.segment];
	int ret = dfs_run_prepare(r, r->measure.segment, err);

	pthread_mutex_lock(&r->lock);
	r->measured += seg->len;
	pthread_mutex_unlock(&r->lock);
	r->measured_spans += dfs_work_spans(r->w, r->measure.segment);
	cursor_settle(r->w, &r->measure, seg->n_chunks);
	return ret;
}

/* Where the bytes of the next span to be measured may stay; NULL: an earlier one is still in its place. */
static struct dfs_span_bytes *keep_next(struct dfs_run *r)
{
	struct dfs_kept *kept = &r->kept[r->measured_spans % DFS_KEPT];

	if (r->measured_spans - r->head >= DFS_KEPT)
		return NULL;
	kept->span = r->measured_spans + 1;
	return &kept->bytes;
}

/* Bytes of the file: each is measured, and written. */
static uint64_t progress(struct dfs_run *r)
{
	uint64_t done;

	pthread_mutex_lock(&r->lock);
	done = (r->measured + r->written) / 2;
	pthread_mutex_unlock(&r->lock);
	return done;
}

/* Return: 1 if a span was handed out, 0 if that must wait or all are; -errno. */
static int feed_measure(struct dfs_run *r, struct dfs_err *err)
{
	struct dfs_look *look;
	int ret;

	if (!cursor_settle(r->w, &r->measure, 0) || r->measure.segment > r->encode.segment + AHEAD)
		return 0;
	if (!r->w->segments[r->measure.segment].measurable) {
		ret = skip_measure(r, err);
		return ret < 0 ? ret : 1;
	}
	look = take_idle(r);
	if (!look)
		return 0;
	if (r->measure.chunk == 0) {
		ret = dfs_span_drop(r->w, r->measure.segment, &r->ticker, progress(r), err);
		if (ret < 0)
			return ret;
	}
	look->place = dfs_work_span(r->w, r->measure.segment, r->measure.chunk);
	look->bytes = keep_next(r);
	r->measured_spans++;
	cursor_settle(r->w, &r->measure, look->place.n);
	dfs_pool_submit(r->pool, &look->job, DFS_AHEAD);
	return 1;
}

static int feed_encode(struct dfs_run *r, struct dfs_err *err)
{
	struct dfs_slot *slot = &r->slots[r->tail % r->n_slots];
	struct dfs_kept *kept = &r->kept[r->tail % DFS_KEPT];
	bool ready;
	int ret;

	if (r->tail - r->head == r->n_slots || !cursor_settle(r->w, &r->encode, 0))
		return 0;
	pthread_mutex_lock(&r->lock);
	ready = r->w->segments[r->encode.segment].ready;
	slot->done = false;
	pthread_mutex_unlock(&r->lock);
	if (!ready)
		return 0;
	ret = dfs_give_up_open(r->w, r->encode.segment, err);
	if (ret < 0)
		return ret;
	slot->coded.place = dfs_work_span(r->w, r->encode.segment, r->encode.chunk);
	slot->coded.read = kept->span == r->tail + 1;
	slot->coded.bytes = slot->coded.read ? &kept->bytes : &slot->own;
	cursor_settle(r->w, &r->encode, slot->coded.place.n);
	r->tail++;
	dfs_pool_submit(r->pool, &slot->job, DFS_URGENT);
	return 1;
}

static int write_next(struct dfs_run *r, struct dfs_err *err)
{
	struct dfs_slot *slot = &r->slots[r->head % r->n_slots];
	bool done;
	int ret;

	if (r->head == r->tail)
		return 0;
	pthread_mutex_lock(&r->lock);
	done = slot->done && r->ret == 0;
	pthread_mutex_unlock(&r->lock);
	if (!done)
		return 0;
	ret = dfs_output_span(r->out, r->w, &slot->coded, err);
	if (ret < 0)
		return ret;
	r->written += slot->coded.place.len;
	r->head++;
	return 1;
}

/* The caller's thread: hand out, write, wait; until all is written. */
static int run_loop(struct dfs_run *r, struct dfs_err *err)
{
	for (;;) {
		uint64_t seen;
		int ret, moved;

		pthread_mutex_lock(&r->lock);
		seen = r->events;
		ret = r->ret;
		if (ret < 0 && err)
			*err = r->err;
		pthread_mutex_unlock(&r->lock);
		if (ret < 0 || (ret = dfs_ticker_tell(&r->ticker, progress(r), err)) < 0)
			return ret;
		moved = ret = feed_encode(r, err);
		if (ret >= 0)
			moved |= ret = feed_measure(r, err);
		if (ret >= 0)
			moved |= ret = write_next(r, err);
		if (ret < 0)
			return ret;
		if (!moved && r->written == r->w->c.sb.original_size)
			return 0;
		pthread_mutex_lock(&r->lock);
		while (!moved && r->events == seen &&
		       pthread_cond_timedwait(&r->changed, &r->lock, &r->ticker.next) == 0)
			;
		pthread_mutex_unlock(&r->lock);
	}
}

static int run_init(struct dfs_run *r)
{
	struct dfs_pool_config pool = {
		.threads = r->config->threads, .name = "encode",
		.idle = r->config->idle,
		.local_new = dfs_hand_new, .local_free = dfs_hand_free,
	};
	pthread_condattr_t attr;

	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &attr);
	pthread_condattr_destroy(&attr);
	r->pool = dfs_pool_new(&pool);
	if (!r->pool)
		return -errno;
	r->n_slots = 2 * dfs_pool_threads(r->pool) + 2;
	if (r->n_slots > DFS_RING_MAX)
		r->n_slots = DFS_RING_MAX;
	r->slots = calloc(r->n_slots, sizeof(*r->slots));
	r->looks = calloc(r->n_slots, sizeof(*r->looks));
	if (!r->slots || !r->looks)
		return -ENOMEM;
	for (unsigned i = 0; i < r->n_slots; i++) {
		r->slots[i].job.run = slot_run;
		r->slots[i].run = r;
		r->looks[i] = (struct dfs_look){ .job = { .run = dfs_look_run }, .run = r, .next = r->idle };
		r->idle = &r->looks[i];
	}
	return 0;
}

static void run_release(struct dfs_run *r)
{
	dfs_pool_free(r->pool);
	for (unsigned i = 0; r->slots && i < r->n_slots; i++) {
		dfs_coded_release(&r->slots[i].coded);
		dfs_span_bytes_release(&r->slots[i].own);
	}
	for (unsigned i = 0; i < DFS_KEPT; i++)
		dfs_span_bytes_release(&r->kept[i].bytes);
	free(r->slots);
	free(r->looks);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
}

int dfs_schedule_run(struct dfs_work *w, struct dfs_output *out,
		     const struct dfs_encode_config *config, struct dfs_err *err)
{
	struct dfs_run r = {
		.w = w, .out = out, .config = config,
		.ticker = { config->progress, config->progress_arg, w->c.sb.original_size, { 0 } },
	};
	int ret = run_init(&r);

	if (ret < 0)
		dfs_fail(err, -ret, "start encoding: %s", strerror(-ret));
	else
		ret = run_loop(&r, err);
	if (ret < 0)
		dfs_run_fail(&r, ret, &(struct dfs_err){ "" }); /* what is queued need not be done */
	run_release(&r);
	return ret;
}
