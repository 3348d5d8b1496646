/* SPDX-License-Identifier: GPL-2.0-or-later */
/* give_up: many tensors at a time, and a plan for all of them. */
#include "write/give_up.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "write/encode.h"
#include "write/expect.h"
#include "write/give_up_job.h"
#include "write/plan.h"
#include "write/ticker.h"

/*
 * What the tensors that are worked on at a time may take, but for one that is
 * larger by itself: a quarter of the GiB that an encoder has.
 */
#define TOGETHER ((size_t)256 << 20)

static void make_exact(struct dfs_work *w, uint32_t i)
{
	dfs_give_up_free(w->segments[i].lossy);
	w->segments[i].lossy = NULL;
	w->segments[i].measurable = true;
	w->c.segments[i].chunk_rows = 0;
}

/* Runs all jobs, and tells of progress meanwhile. Return: 0; what the first of them failed with; -ECANCELED. */
static int run_jobs(struct dfs_passes *p, struct dfs_pool *pool, struct dfs_pass_job *jobs, uint32_t n,
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

/* Why it does not give up bits. */
static enum dfs_scope scope_of(const struct dfs_pass_job *job)
{
	if (job->smaller)
		return DFS_SCOPE_SMALLER;
	if (!job->finite)
		return DFS_SCOPE_NOT_FINITE;
	if (job->unplanned)
		return DFS_SCOPE_UNPLANNED;
	return dfs_pass_lossy(job)->tensor.values ? DFS_SCOPE_SAME : DFS_SCOPE_DECLINED;
}

/* What turned out to have nothing to give up, or what cannot be given up, or need not. Return: how many are left. */
static uint32_t drop_exact(struct dfs_pass_job *jobs, uint32_t n)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (dfs_pass_gives_up(&jobs[i])) {
			jobs[left++] = jobs[i];
			continue;
		}
		if (jobs[i].smaller)
			jobs[i].w->segments[jobs[i].segment].smaller = dfs_pass_lossy(&jobs[i])->name;
		dfs_spared_add(&jobs[i].w->spared, scope_of(&jobs[i]), dfs_pass_lossy(&jobs[i])->name);
		make_exact(jobs[i].w, jobs[i].segment);
	}
	return left;
}

static int plan_here(struct dfs_passes *p, const struct dfs_pass_job *jobs, uint32_t n, struct dfs_err *err)
{
	DFS_AUTO(mem) struct dfs_lossy_tensor *tensors = calloc(n + 1, sizeof(*tensors));

	if (!p->lossy->plan)
		return 0;
	if (!tensors)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (uint32_t i = 0; i < n; i++)
		tensors[i] = dfs_pass_lossy(&jobs[i])->tensor;
	return p->lossy->plan(p->spec->options, tensors, n, err);
}

/* A tensor that the plan knows nothing of came later: it is coded exactly. */
static uint32_t plan_from(struct dfs_passes *p, const struct dfs_plan *plan, struct dfs_pass_job *jobs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct dfs_lossy_tensor *tensor = &dfs_pass_lossy(&jobs[i])->tensor;
		const struct dfs_plan_entry *entry = dfs_plan_find(plan, dfs_pass_lossy(&jobs[i])->name);

		jobs[i].unplanned = !entry;
		jobs[i].smaller = entry && entry->smaller;
		if (!entry || entry->smaller)
			continue;
		tensor->number = entry->number;
		if (p->lossy->planned_size)
			memcpy(p->lossy->planned(tensor), entry->planned, p->lossy->planned_size);
	}
	return drop_exact(jobs, n);
}

/* --- jobs and their threads */

struct crew {
	struct dfs_passes passes;
	struct dfs_pool *pool;
	struct dfs_pass_job *jobs;
	uint32_t n;
	struct dfs_ticker ticker;
};

static void crew_add(struct crew *crew, struct dfs_work *w)
{
	for (uint32_t i = 0; i < w->c.n_segments; i++)
		if (w->segments[i].lossy)
			crew->jobs[crew->n++] = (struct dfs_pass_job){ .p = &crew->passes, .w = w, .segment = i, .finite = true };
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
	dfs_allowance_init(&crew->passes.allowance, TOGETHER);
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
	dfs_allowance_release(&crew->passes.allowance);
}

/* All jobs; those that are lossy still are left. */
static int crew_run(struct crew *crew, void (*run)(struct dfs_job *job, void *hand), struct dfs_err *err)
{
	int ret = run_jobs(&crew->passes, crew->pool, crew->jobs, crew->n, run, &crew->ticker, err);

	if (ret == 0)
		crew->n = drop_exact(crew->jobs, crew->n);
	return ret;
}

/* All tensors know the model's. */
static void note_norm(struct dfs_work *w, const struct dfs_pass_job *jobs, uint32_t n)
{
	enum dfs_norm kind;

	if (n && dfs_spec_compares(w->spec, &kind))
		w->norms.of[kind] = w->spec->lossy->norm(&dfs_pass_lossy(&jobs[0])->tensor);
}

/*
 * What the codec declines, or is smaller coded exactly, leaves the plan, which
 * is made anew without it: a plan is of what is coded by it.
 */
static int crew_plan(struct crew *crew, struct dfs_err *err)
{
	uint32_t n;
	int ret;

	do {
		n = crew->n;
		ret = plan_here(&crew->passes, crew->jobs, n, err);
		if (ret == 0)
			ret = crew_run(crew, dfs_pass_try, err);
	} while (ret == 0 && crew->n < n);
	return ret;
}

static void drop_records(struct crew *crew)
{
	for (uint32_t i = 0; i < crew->n; i++) {
		struct dfs_lossy_tensor *tensor = &dfs_pass_lossy(&crew->jobs[i])->tensor;

		free(tensor->record);
		tensor->record = NULL;
	}
}

static int crew_run_planned(struct crew *crew, struct dfs_work *w, const struct dfs_plan *plan, struct dfs_err *err)
{
	int ret = crew_run(crew, dfs_pass_measure, err);

	if (ret == 0 && plan) {
		crew->n = plan_from(&crew->passes, plan, crew->jobs, crew->n);
		ret = crew_run(crew, dfs_pass_prepare, err);
	} else if (ret == 0) {
		ret = crew_plan(crew, err);
	}
	if (ret == 0)
		note_norm(w, crew->jobs, crew->n);
	drop_records(crew);
	return ret;
}

/* What was decided: of tensors that are coded by the plan, and of those that are smaller exactly. */
static int note_plan(const struct crew *crew, const struct dfs_work *works, size_t n, struct dfs_plan *plan, struct dfs_err *err)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < crew->n; i++)
		ret = dfs_plan_add(plan, dfs_pass_lossy(&crew->jobs[i])->name, &dfs_pass_lossy(&crew->jobs[i])->tensor, err);
	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; ret == 0 && k < works[i].c.n_segments; k++)
			if (works[i].segments[k].smaller)
				ret = dfs_plan_add(plan, works[i].segments[k].smaller, NULL, err);
	return ret;
}

int dfs_give_up_prepare(struct dfs_work *w, const struct dfs_encode_config *config, struct dfs_err *err)
{
	struct crew crew;
	int ret = crew_init(&crew, w->spec, w->n_lossy, w->c.sb.original_size, config, err);

	if (ret == 0) {
		crew_add(&crew, w);
		ret = w->spec->lossy->plan ? crew_run_planned(&crew, w, config->plan, err) :
					    crew_run(&crew, dfs_pass_both, err);
	}
	if (ret == 0) {
		w->n_lossy = crew.n;
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
		dfs_pass_lossy(&crew.jobs[i])->tensor.number = i;
	if (ret == 0)
		ret = crew_run(&crew, dfs_pass_measure, err);
	if (ret == 0)
		ret = crew_plan(&crew, err);
	if (ret == 0)
		ret = note_plan(&crew, works, n, plan, err);
	crew_release(&crew);
	return ret;
}
