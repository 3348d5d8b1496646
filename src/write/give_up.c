/* SPDX-License-Identifier: GPL-2.0-or-later */
/* give_up: one job a tensor, since its sums must have one order; many tensors at a time. */
#include "write/give_up.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "util/pool.h"
#include "write/encode.h"
#include "write/expect.h"
#include "write/layout.h"
#include "write/ticker.h"

/* The tensor that a segment holds, wholly or but for rows that have no base; NULL: it is of another kind. */
static const struct dfs_tensor *tensor_of(const struct dfs_segment *seg, const struct dfs_header *header)
{
	const struct dfs_tensor *tensor;

	if (!header || seg->kind != DFS_SEGMENT_TENSOR || seg->predictor != DFS_PREDICT_BASE || seg->len < DFS_BUNDLE_SMALL)
		return NULL;
	tensor = dfs_header_at(header, seg->off);
	return tensor && tensor->off == seg->off ? tensor : NULL;
}

int dfs_give_up_mark(struct dfs_work *w, const struct dfs_header *header, struct dfs_err *err)
{
	const struct dfs_lossy *lossy = w->spec ? w->spec->lossy : NULL;

	for (uint32_t i = 0; lossy && i < w->c.n_segments; i++) {
		const struct dfs_tensor *tensor = tensor_of(&w->c.segments[i], header);
		struct dfs_work_segment *ws = &w->segments[i];

		if (!tensor || !dfs_spec_takes(w->spec, tensor) || !lossy->codec->accepts(ws->shape) ||
		    (lossy->takes && !lossy->takes(w->spec->options, ws->shape)))
			continue;
		ws->lossy = calloc(1, sizeof(*ws->lossy));
		if (!ws->lossy)
			return dfs_fail(err, ENOMEM, "out of memory");
		if (lossy->chunk_rows)
			w->c.segments[i].chunk_rows = lossy->chunk_rows(w->spec->options, ws->shape);
		ws->measurable = false;
		ws->lossy->tensor = (struct dfs_lossy_tensor){
			.shape = ws->shape, .chunk_rows = w->c.segments[i].chunk_rows, .number = w->n_lossy++,
			.values = ws->shape.rows * ws->shape.cols,
		};
	}
	return 0;
}

void dfs_give_up_free(struct dfs_work_lossy *lossy)
{
	if (!lossy)
		return;
	free(lossy->tensor.record);
	dfs_table_close(lossy->table);
	dfs_buf_release(&lossy->table_bytes);
	dfs_buf_release(&lossy->notes);
	free(lossy);
}

static void make_exact(struct dfs_work *w, uint32_t i)
{
	dfs_give_up_free(w->segments[i].lossy);
	w->segments[i].lossy = NULL;
	w->segments[i].measurable = true;
	w->c.segments[i].chunk_rows = 0;
}

/* All that the jobs share. */
struct passes {
	struct dfs_work *w;
	const struct dfs_lossy *lossy;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint32_t running;	/* under lock, as all below */
	uint64_t done;		/* bytes of the file, once for each pass */
	int ret;		/* the first failure */
	struct dfs_err err;
};

struct pass_job {
	struct dfs_job job;
	struct passes *p;
	uint32_t segment;
	bool differs, finite;	/* found on the way */
};

static bool has_failed(struct passes *p, uint64_t done)
{
	bool failed;

	pthread_mutex_lock(&p->lock);
	failed = p->ret < 0;
	p->done += done;
	pthread_mutex_unlock(&p->lock);
	return failed;
}

/* One chunk of a span: its difference, measured. */
static int measure_chunk(struct pass_job *j, unsigned pass, const struct dfs_block *block, const uint8_t *input,
			 struct dfs_hand *hand)
{
	const struct dfs_work *w = j->p->w;
	float *delta = dfs_hand_delta(hand, block->n);

	if (!delta)
		return -ENOMEM;
	j->differs |= memcmp(input, block->pred, block->n * dfs_dtype_info(block->shape.dtype)->size) != 0;
	if (!dfs_delta(block->shape.dtype, input, block->pred, delta, block->n)) {
		j->finite = false;
		return 0;
	}
	return j->p->lossy->measure(w->spec->options, pass, block, delta, &w->segments[j->segment].lossy->tensor,
				    hand->scratch);
}

static int measure_span(struct pass_job *j, unsigned pass, const struct dfs_span_place *place, struct dfs_hand *hand,
			struct dfs_err *err)
{
	const struct dfs_work *w = j->p->w;
	int ret = dfs_expect_read(w, place, &hand->span, err);

	if (ret == 0)
		ret = dfs_expect(w, place, hand, &hand->span, err);
	for (uint32_t i = 0; i < place->n && ret == 0 && j->finite; i++) {
		uint64_t at;
		struct dfs_block block = dfs_expect_block(w, place, i, &hand->span, &at);

		ret = measure_chunk(j, pass, &block, hand->span.input + at, hand);
		if (ret < 0)
			dfs_fail(err, -ret, "measure: %s", strerror(-ret));
	}
	return ret;
}

static int run_pass(struct pass_job *j, unsigned pass, struct dfs_hand *hand, struct dfs_err *err)
{
	const struct dfs_work *w = j->p->w;
	const struct dfs_lossy_tensor *tensor = &w->segments[j->segment].lossy->tensor;
	struct dfs_span_place place;
	int ret = 0;

	for (uint32_t first = 0; first < w->c.segments[j->segment].n_chunks; first += place.n) {
		place = dfs_work_span(w, j->segment, first);
		ret = measure_span(j, pass, &place, hand, err);
		if (ret < 0 || !j->finite || has_failed(j->p, place.len))
			return ret;
	}
	if (j->p->lossy->settle)
		ret = j->p->lossy->settle(w->spec->options, pass, tensor);
	return ret < 0 ? dfs_fail(err, -ret, "measure: %s", strerror(-ret)) : 0;
}

static int run_passes(struct pass_job *j, struct dfs_hand *hand, struct dfs_err *err)
{
	const struct dfs_lossy *lossy = j->p->lossy;
	const void *options = j->p->w->spec->options;
	struct dfs_lossy_tensor *tensor = &j->p->w->segments[j->segment].lossy->tensor;
	unsigned passes = lossy->passes(options);
	int ret = 0;

	tensor->record = calloc(1, lossy->record_size(options, tensor->shape));
	if (!tensor->record)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (unsigned pass = 0; pass < passes && ret == 0 && j->finite && (!pass || j->differs); pass++)
		ret = run_pass(j, pass, hand, err);
	return ret;
}

static void job_end(struct passes *p, int ret, const struct dfs_err *err)
{
	pthread_mutex_lock(&p->lock);
	if (ret < 0 && p->ret == 0) {
		p->ret = ret;
		p->err = *err;
	}
	p->running--;
	pthread_cond_signal(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

static void measure_run(struct dfs_job *job, void *hand)
{
	struct pass_job *j = (struct pass_job *)job;
	struct dfs_err err = { "" };

	job_end(j->p, has_failed(j->p, 0) ? 0 : run_passes(j, hand, &err), &err);
}

static int prepare_segment(struct passes *p, uint32_t segment, struct dfs_err *err)
{
	struct dfs_work_lossy *l = p->w->segments[segment].lossy;
	int ret = p->lossy->prepare(p->w->spec->options, &l->tensor, &l->table_bytes, &l->notes, err);

	free(l->tensor.record);
	l->tensor.record = NULL;
	if (ret == -ERANGE) {
		l->tensor.values = 0;	/* declined: the caller makes it exact */
		return 0;
	}
	return ret < 0 ? ret : p->lossy->codec->table_open(l->tensor.shape,
		(struct dfs_span){ l->table_bytes.data, l->table_bytes.len }, true, &l->table, err);
}

static void prepare_run(struct dfs_job *job, void *hand)
{
	struct pass_job *j = (struct pass_job *)job;
	struct dfs_err err = { "" };

	(void)hand;
	job_end(j->p, has_failed(j->p, 0) ? 0 : prepare_segment(j->p, j->segment, &err), &err);
}

/* Runs all jobs, and tells of progress meanwhile. Return: 0; what the first of them failed with; -ECANCELED. */
static int run_jobs(struct passes *p, struct dfs_pool *pool, struct pass_job *jobs, uint32_t n,
		    void (*run)(struct dfs_job *job, void *hand), struct dfs_ticker *ticker, struct dfs_err *err)
{
	p->running = n;
	for (uint32_t i = 0; i < n; i++) {
		jobs[i].job.run = run;
		dfs_pool_submit(pool, &jobs[i].job, DFS_URGENT);
	}
	pthread_mutex_lock(&p->lock);
	while (p->running) {
		uint64_t done = p->done;
		int ret;

		pthread_mutex_unlock(&p->lock);
		ret = dfs_ticker_tell(ticker, done < ticker->total ? done : ticker->total, err);
		pthread_mutex_lock(&p->lock);
		if (ret < 0 && p->ret == 0) {
			p->ret = ret;
			p->err = *err;
		}
		if (p->running)
			pthread_cond_timedwait(&p->changed, &p->lock, &ticker->next);
	}
	pthread_mutex_unlock(&p->lock);
	if (p->ret < 0 && err)
		*err = p->err;
	return p->ret;
}

/* What turned out to have nothing to give up, or what cannot be given up. Return: how many are left. */
static uint32_t drop_exact(struct dfs_work *w, struct pass_job *jobs, uint32_t n)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (jobs[i].finite && jobs[i].differs && w->segments[jobs[i].segment].lossy->tensor.values)
			jobs[left++] = jobs[i];
		else
			make_exact(w, jobs[i].segment);
	}
	return left;
}

static int plan(struct passes *p, const struct pass_job *jobs, uint32_t n, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_lossy_tensor *tensors = calloc(n + 1, sizeof(*tensors));

	if (!p->lossy->plan)
		return 0;
	if (!tensors)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (uint32_t i = 0; i < n; i++)
		tensors[i] = p->w->segments[jobs[i].segment].lossy->tensor;
	return p->lossy->plan(p->w->spec->options, tensors, n, err);
}

static int all_passes(struct passes *p, struct dfs_pool *pool, struct pass_job *jobs, uint32_t n,
		      struct dfs_ticker *ticker, struct dfs_err *err)
{
	int ret = run_jobs(p, pool, jobs, n, measure_run, ticker, err);

	if (ret < 0)
		return ret;
	n = drop_exact(p->w, jobs, n);
	ret = plan(p, jobs, n, err);
	if (ret == 0)
		ret = run_jobs(p, pool, jobs, n, prepare_run, ticker, err);
	if (ret < 0)
		return ret;
	p->w->n_lossy = drop_exact(p->w, jobs, n);
	return dfs_work_make_chunks(p->w, err);
}

int dfs_give_up_prepare(struct dfs_work *w, const struct dfs_encode_config *config, struct dfs_err *err)
{
	struct passes p = { .w = w, .lossy = w->spec->lossy };
	struct dfs_pool_config pool_config = {
		.threads = config->threads, .name = "measure", .idle = config->idle,
		.local_new = dfs_hand_new, .local_free = dfs_hand_free,
	};
	struct dfs_ticker ticker = { config->progress, config->progress_arg, w->c.sb.original_size, { 0 } };
	DFS_AUTO(mem) struct pass_job *jobs = calloc(w->n_lossy + 1, sizeof(*jobs));
	struct dfs_pool *pool = dfs_pool_new(&pool_config);
	pthread_condattr_t attr;
	uint32_t n = 0;
	int ret;

	if (!jobs || !pool) {
		dfs_pool_free(pool);
		return dfs_fail(err, ENOMEM, "start measuring: out of memory");
	}
	pthread_mutex_init(&p.lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p.changed, &attr);
	pthread_condattr_destroy(&attr);
	for (uint32_t i = 0; i < w->c.n_segments; i++)
		if (w->segments[i].lossy)
			jobs[n++] = (struct pass_job){ .p = &p, .segment = i, .finite = true };
	ret = all_passes(&p, pool, jobs, n, &ticker, err);
	dfs_pool_free(pool);
	pthread_cond_destroy(&p.changed);
	pthread_mutex_destroy(&p.lock);
	return ret;
}
