/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schedule: two cursors over the file, measure ahead of encode, and a ring of
 * spans between the encoding threads and the one that writes (the caller's).
 */
#include "write/schedule.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "write/expect.h"
#include "write/ticker.h"

/* Spans in the ring, at most: each holds a megabyte (input and payload). */
#define RING_MAX 64
/* Segments that measuring may be ahead: each holds its record or its tables. */
#define AHEAD 16

struct cursor {
	uint32_t segment, chunk;
};

struct run;

/* A span in the ring: being encoded, or waiting to be written. */
struct slot {
	struct dfs_job job;
	struct run *run;
	struct dfs_coded coded;
	bool done;		/* under run->lock */
};

/* A span that is being measured. */
struct look {
	struct dfs_job job;
	struct run *run;
	struct dfs_span_place place;
	struct look *next;	/* while idle; under run->lock */
};

struct run {
	struct dfs_work *w;
	struct dfs_output *out;
	const struct dfs_encode_config *config;
	struct dfs_pool *pool;
	struct slot *slots;
	unsigned n_slots;
	struct look *looks;

	/* the caller's thread only */
	struct cursor measure, encode;
	uint64_t head, tail;		/* slots [head, tail) are in use, modulo n_slots */
	uint64_t written;		/* bytes of the file */
	struct dfs_ticker ticker;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t events;		/* under lock; grows with each that the caller may wait for */
	struct look *idle;		/* under lock */
	uint64_t measured;		/* bytes of the file; under lock */
	int ret;			/* the first failure; under lock */
	struct dfs_err err;		/* its sentence; under lock */
};

/* Under the lock. */
static void run_note(struct run *r)
{
	r->events++;
	pthread_cond_signal(&r->changed);
}

static void run_fail(struct run *r, int ret, const struct dfs_err *err)
{
	pthread_mutex_lock(&r->lock);
	if (r->ret == 0) {
		r->ret = ret;
		r->err = *err;
	}
	run_note(r);
	pthread_mutex_unlock(&r->lock);
}

static bool run_failed(struct run *r)
{
	bool failed;

	pthread_mutex_lock(&r->lock);
	failed = r->ret < 0;
	pthread_mutex_unlock(&r->lock);
	return failed;
}

/* All of a segment is measured: make its tables. One thread comes here per segment. */
static int segment_prepare(struct run *r, uint32_t segment, struct dfs_err *err)
{
	struct dfs_work_segment *ws = &r->w->segments[segment];
	struct dfs_exact_tables *tables = NULL;
	int ret;

	if (!ws->record)
		ws->record = dfs_exact_record_new(ws->shape, r->w->c.segments[segment].predictor != DFS_PREDICT_NONE);
	if (!ws->record)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_exact_prepare(ws->record, &tables, err);
	dfs_exact_record_free(ws->record);
	ws->record = NULL;
	if (ret < 0)
		return ret;
	pthread_mutex_lock(&r->lock);
	ws->tables = tables;
	ws->ready = true;
	run_note(r);
	pthread_mutex_unlock(&r->lock);
	return 0;
}

/* Return: whether this was the last span of its segment. */
static bool segment_add(struct run *r, const struct dfs_span_place *place,
			struct dfs_exact_record *record)
{
	struct dfs_work_segment *ws = &r->w->segments[place->segment];
	bool last;

	pthread_mutex_lock(&r->lock);
	if (ws->record) {
		dfs_exact_merge(ws->record, record);
	} else {
		ws->record = record;
		record = NULL;
	}
	ws->unmeasured -= place->n;
	last = ws->unmeasured == 0;
	r->measured += place->len;
	pthread_mutex_unlock(&r->lock);
	dfs_exact_record_free(record);
	return last;
}

static void look_run(struct dfs_job *job, void *hand)
{
	struct look *look = (struct look *)job;
	struct run *r = look->run;
	struct dfs_exact_record *record = NULL;
	struct dfs_err err = { "" };
	int ret = 0;

	if (!run_failed(r))
		ret = dfs_span_measure(r->w, &look->place, hand, &record, &err);
	if (record && segment_add(r, &look->place, record))
		ret = segment_prepare(r, look->place.segment, &err);
	if (ret < 0)
		run_fail(r, ret, &err);
	pthread_mutex_lock(&r->lock);
	look->next = r->idle;
	r->idle = look;
	run_note(r);
	pthread_mutex_unlock(&r->lock);
}

static void slot_run(struct dfs_job *job, void *hand)
{
	struct slot *slot = (struct slot *)job;
	struct run *r = slot->run;
	struct dfs_err err = { "" };
	int ret = 0;

	if (!run_failed(r))
		ret = dfs_span_encode(r->w, &slot->coded, hand, &err);
	if (ret < 0)
		run_fail(r, ret, &err);
	pthread_mutex_lock(&r->lock);
	slot->done = true;
	run_note(r);
	pthread_mutex_unlock(&r->lock);
}

/* Past a span; over segments without chunks. Return: whether the cursor stands on a chunk. */
static bool cursor_settle(const struct dfs_work *w, struct cursor *c, uint32_t step)
{
	c->chunk += step;
	while (c->segment < w->c.n_segments && c->chunk >= w->c.segments[c->segment].n_chunks) {
		c->segment++;
		c->chunk = 0;
	}
	return c->segment < w->c.n_segments;
}

static struct look *take_idle(struct run *r)
{
	struct look *look;

	pthread_mutex_lock(&r->lock);
	look = r->idle;
	if (look)
		r->idle = look->next;
	pthread_mutex_unlock(&r->lock);
	return look;
}

/* Nothing to find out about plain bytes: no first pass over them. */
static int skip_measure(struct run *r, struct dfs_err *err)
{
	const struct dfs_segment *seg = &r->w->c.segments[r->measure.segment];
	int ret = segment_prepare(r, r->measure.segment, err);

	pthread_mutex_lock(&r->lock);
	r->measured += seg->len;
	pthread_mutex_unlock(&r->lock);
	cursor_settle(r->w, &r->measure, seg->n_chunks);
	return ret;
}

/* Return: 1 if a span was handed out, 0 if that must wait or all are. */
static int feed_measure(struct run *r, struct dfs_err *err)
{
	struct look *look;
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
		ret = dfs_span_drop(r->w, r->measure.segment, err);
		if (ret < 0)
			return ret;
	}
	look->place = dfs_work_span(r->w, r->measure.segment, r->measure.chunk);
	cursor_settle(r->w, &r->measure, look->place.n);
	dfs_pool_submit(r->pool, &look->job, DFS_AHEAD);
	return 1;
}

static int feed_encode(struct run *r)
{
	struct slot *slot = &r->slots[r->tail % r->n_slots];
	bool ready;

	if (r->tail - r->head == r->n_slots || !cursor_settle(r->w, &r->encode, 0))
		return 0;
	pthread_mutex_lock(&r->lock);
	ready = r->w->segments[r->encode.segment].ready;
	slot->done = false;
	pthread_mutex_unlock(&r->lock);
	if (!ready)
		return 0;
	slot->coded.place = dfs_work_span(r->w, r->encode.segment, r->encode.chunk);
	cursor_settle(r->w, &r->encode, slot->coded.place.n);
	r->tail++;
	dfs_pool_submit(r->pool, &slot->job, DFS_URGENT);
	return 1;
}

static int write_next(struct run *r, struct dfs_err *err)
{
	struct slot *slot = &r->slots[r->head % r->n_slots];
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

static int tick(struct run *r, struct dfs_err *err)
{
	uint64_t done;

	pthread_mutex_lock(&r->lock);
	done = (r->measured + r->written) / 2;
	pthread_mutex_unlock(&r->lock);
	return dfs_ticker_tell(&r->ticker, done, err);
}

/* The caller's thread: hand out, write, wait; until all is written. */
static int run_loop(struct run *r, struct dfs_err *err)
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
		if (ret < 0 || (ret = tick(r, err)) < 0)
			return ret;
		moved = ret = feed_encode(r);
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

static int run_init(struct run *r)
{
	struct dfs_pool_config pool = {
		.threads = r->config->threads, .name = "encode",
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
	if (r->n_slots > RING_MAX)
		r->n_slots = RING_MAX;
	r->slots = calloc(r->n_slots, sizeof(*r->slots));
	r->looks = calloc(r->n_slots, sizeof(*r->looks));
	if (!r->slots || !r->looks)
		return -ENOMEM;
	for (unsigned i = 0; i < r->n_slots; i++) {
		r->slots[i].job.run = slot_run;
		r->slots[i].run = r;
		r->looks[i] = (struct look){ .job = { .run = look_run }, .run = r, .next = r->idle };
		r->idle = &r->looks[i];
		if (dfs_coded_init(&r->slots[i].coded) < 0)
			return -ENOMEM;
	}
	return 0;
}

static void run_release(struct run *r)
{
	dfs_pool_free(r->pool);
	for (unsigned i = 0; r->slots && i < r->n_slots; i++)
		dfs_coded_release(&r->slots[i].coded);
	free(r->slots);
	free(r->looks);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
}

int dfs_schedule_run(struct dfs_work *w, struct dfs_output *out,
		     const struct dfs_encode_config *config, struct dfs_err *err)
{
	struct run r = {
		.w = w, .out = out, .config = config,
		.ticker = { config->progress, config->progress_arg, w->c.sb.original_size, { 0 } },
	};
	int ret = run_init(&r);

	if (ret < 0)
		dfs_fail(err, -ret, "start encoding: %s", strerror(-ret));
	else
		ret = run_loop(&r, err);
	if (ret < 0)
		run_fail(&r, ret, &(struct dfs_err){ "" }); /* what is queued need not be done */
	run_release(&r);
	return ret;
}
