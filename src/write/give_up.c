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
#include "write/plan.h"
#include "write/ticker.h"

static void make_exact(struct dfs_work *w, uint32_t i)
{
	dfs_give_up_free(w->segments[i].lossy);
	w->segments[i].lossy = NULL;
	w->segments[i].measurable = true;
	w->c.segments[i].chunk_rows = 0;
}

/* All that the jobs share. */
struct passes {
	const struct dfs_spec *spec;
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
	struct dfs_work *w;
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
	const struct dfs_work *w = j->w;
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
	const struct dfs_work *w = j->w;
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
	const struct dfs_work *w = j->w;
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
	const void *options = j->p->spec->options;
	struct dfs_lossy_tensor *tensor = &j->w->segments[j->segment].lossy->tensor;
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

static int prepare_segment(struct pass_job *j, struct dfs_err *err)
{
	struct dfs_work_lossy *l = j->w->segments[j->segment].lossy;
	const struct passes *p = j->p;
	int ret = p->lossy->prepare(p->spec->options, &l->tensor, &l->table_bytes, &l->notes, err);

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
	job_end(j->p, has_failed(j->p, 0) ? 0 : prepare_segment(j, &err), &err);
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
static uint32_t drop_exact(struct pass_job *jobs, uint32_t n)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < n; i++) {
		bool takes = jobs[i].finite && jobs[i].w->segments[jobs[i].segment].lossy->tensor.values;

		if (takes && jobs[i].differs) {
			jobs[left++] = jobs[i];
			continue;
		}
		jobs[i].w->n_declined += !takes;
		make_exact(jobs[i].w, jobs[i].segment);
	}
	return left;
}

static struct dfs_work_lossy *lossy_of(const struct pass_job *job)
{
	return job->w->segments[job->segment].lossy;
}

static int plan_here(struct passes *p, const struct pass_job *jobs, uint32_t n, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_lossy_tensor *tensors = calloc(n + 1, sizeof(*tensors));

	if (!p->lossy->plan)
		return 0;
	if (!tensors)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (uint32_t i = 0; i < n; i++)
		tensors[i] = lossy_of(&jobs[i])->tensor;
	return p->lossy->plan(p->spec->options, tensors, n, err);
}

/* A tensor that the plan knows nothing of came later: it is coded exactly. */
static uint32_t plan_from(struct passes *p, const struct dfs_plan *plan, struct pass_job *jobs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct dfs_lossy_tensor *tensor = &lossy_of(&jobs[i])->tensor;
		const struct dfs_plan_entry *entry = dfs_plan_find(plan, lossy_of(&jobs[i])->name);

		jobs[i].finite = entry != NULL;
		if (!entry)
			continue;
		tensor->number = entry->number;
		if (p->lossy->planned_size)
			memcpy(p->lossy->planned(tensor), entry->planned, p->lossy->planned_size);
	}
	return drop_exact(jobs, n);
}

/* @ret_n: in, all jobs; out, those of them that are lossy still */
static int measure_all(struct passes *p, struct dfs_pool *pool, struct pass_job *jobs, uint32_t *n,
		       struct dfs_ticker *ticker, struct dfs_err *err)
{
	int ret = run_jobs(p, pool, jobs, *n, measure_run, ticker, err);

	if (ret == 0)
		*n = drop_exact(jobs, *n);
	return ret;
}

/* --- jobs and their threads */

struct crew {
	struct passes passes;
	struct dfs_pool *pool;
	struct pass_job *jobs;
	uint32_t n;
	struct dfs_ticker ticker;
};

static void crew_add(struct crew *crew, struct dfs_work *w)
{
	for (uint32_t i = 0; i < w->c.n_segments; i++)
		if (w->segments[i].lossy)
			crew->jobs[crew->n++] = (struct pass_job){ .p = &crew->passes, .w = w, .segment = i, .finite = true };
}

static int crew_init(struct crew *crew, const struct dfs_spec *spec, uint32_t most, uint64_t bytes,
		     const struct dfs_encode_config *config, struct dfs_err *err)
{
	struct dfs_pool_config pool = {
		.threads = config->threads, .name = "measure", .idle = config->idle,
		.local_new = dfs_hand_new, .local_free = dfs_hand_free,
	};
	pthread_condattr_t attr;

	*crew = (struct crew){
		.passes = { .spec = spec, .lossy = spec->lossy },
		.ticker = { config->progress, config->progress_arg, bytes, { 0 } },
	};
	pthread_mutex_init(&crew->passes.lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&crew->passes.changed, &attr);
	pthread_condattr_destroy(&attr);
	crew->jobs = calloc(most + 1, sizeof(*crew->jobs));
	crew->pool = dfs_pool_new(&pool);
	return crew->jobs && crew->pool ? 0 : dfs_fail(err, ENOMEM, "start measuring: out of memory");
}

static void crew_release(struct crew *crew)
{
	dfs_pool_free(crew->pool);
	free(crew->jobs);
	pthread_cond_destroy(&crew->passes.changed);
	pthread_mutex_destroy(&crew->passes.lock);
}

int dfs_give_up_prepare(struct dfs_work *w, const struct dfs_encode_config *config, struct dfs_err *err)
{
	struct crew crew;
	int ret = crew_init(&crew, w->spec, w->n_lossy, w->c.sb.original_size, config, err);

	if (ret == 0) {
		crew_add(&crew, w);
		ret = measure_all(&crew.passes, crew.pool, crew.jobs, &crew.n, &crew.ticker, err);
	}
	if (ret == 0 && config->plan)
		crew.n = plan_from(&crew.passes, config->plan, crew.jobs, crew.n);
	else if (ret == 0)
		ret = plan_here(&crew.passes, crew.jobs, crew.n, err);
	if (ret == 0)
		ret = run_jobs(&crew.passes, crew.pool, crew.jobs, crew.n, prepare_run, &crew.ticker, err);
	if (ret == 0) {
		w->n_lossy = drop_exact(crew.jobs, crew.n);
		ret = dfs_work_make_chunks(w, err);
	}
	crew_release(&crew);
	return ret;
}

int dfs_give_up_plan(struct dfs_work *works, size_t n, const struct dfs_encode_config *config, struct dfs_plan *plan,
		     struct dfs_err *err)
{
	struct crew crew;
	uint64_t bytes = 0;
	uint32_t most = 0;
	int ret;

	for (size_t i = 0; i < n; i++) {
		bytes += works[i].c.sb.original_size;
		most += works[i].n_lossy;
	}
	ret = crew_init(&crew, works[0].spec, most, bytes, config, err);
	for (size_t i = 0; ret == 0 && i < n; i++)
		crew_add(&crew, &works[i]);
	for (uint32_t i = 0; ret == 0 && i < crew.n; i++)
		lossy_of(&crew.jobs[i])->tensor.number = i;
	if (ret == 0)
		ret = measure_all(&crew.passes, crew.pool, crew.jobs, &crew.n, &crew.ticker, err);
	if (ret == 0)
		ret = plan_here(&crew.passes, crew.jobs, crew.n, err);
	for (uint32_t i = 0; ret == 0 && i < crew.n; i++)
		ret = dfs_plan_add(plan, lossy_of(&crew.jobs[i])->name, &lossy_of(&crew.jobs[i])->tensor, err);
	crew_release(&crew);
	return ret;
}
