/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool: one lock, three queues, a fixed number of threads.
 *
 * Jobs take tens of microseconds at least (a chunk), so one lock is never the
 * bottleneck at the number of threads that a machine has.
 */
#include "util/pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct queue {
	struct dfs_job *first;
	struct dfs_job *last;
};

struct worker {
	struct dfs_pool *pool;
	pthread_t thread;
	void *local;
};

struct dfs_pool {
	void (*local_free)(void *local);
	struct worker *workers;
	unsigned n_workers;		/* threads that run; fixed once dfs_pool_new() returned */

	pthread_mutex_t lock;
	pthread_cond_t work;		/* a job came, or ending was set */
	pthread_cond_t idle;		/* queues empty and running == 0 */
	struct queue queues[DFS_URGENCIES];	/* under lock */
	unsigned running;		/* jobs taken and not finished; under lock */
	bool ending;			/* under lock */
};

/* Under the lock. */
static struct dfs_job *pool_take(struct dfs_pool *pool)
{
	for (unsigned i = 0; i < DFS_URGENCIES; i++) {
		struct queue *q = &pool->queues[i];
		struct dfs_job *job = q->first;

		if (!job)
			continue;
		q->first = job->next;
		if (!q->first)
			q->last = NULL;
		pool->running++;
		return job;
	}
	return NULL;
}

/* Under the lock. */
static bool pool_is_idle(const struct dfs_pool *pool)
{
	for (unsigned i = 0; i < DFS_URGENCIES; i++)
		if (pool->queues[i].first)
			return false;
	return pool->running == 0;
}

static void *worker_main(void *arg)
{
	struct worker *self = arg;
	struct dfs_pool *pool = self->pool;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct dfs_job *job = pool_take(pool);

		if (!job && pool->ending)
			break;
		if (!job) {
			pthread_cond_wait(&pool->work, &pool->lock);
			continue;
		}
		pthread_mutex_unlock(&pool->lock);
		job->run(job, self->local);
		pthread_mutex_lock(&pool->lock);
		pool->running--;
		if (pool_is_idle(pool))
			pthread_cond_broadcast(&pool->idle);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static unsigned cpus_allowed(void)
{
	cpu_set_t set;
	int n;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1; /* more CPUs than cpu_set_t holds: the caller says how many he wants */
	n = CPU_COUNT(&set);
	return n > 0 ? (unsigned)n : 1;
}

/* Return: 0 or a positive errno, as pthread functions do. */
static int worker_start(struct dfs_pool *pool, const struct dfs_pool_config *config)
{
	unsigned number = pool->n_workers;
	struct worker *worker = &pool->workers[number];
	char name[16]; /* the kernel's limit, NUL included */
	int code;

	worker->pool = pool;
	if (config->local_new) {
		worker->local = config->local_new();
		if (!worker->local)
			return ENOMEM;
	}
	code = pthread_create(&worker->thread, NULL, worker_main, worker);
	if (code) {
		if (worker->local && config->local_free)
			config->local_free(worker->local);
		return code;
	}
	pool->n_workers++;
	snprintf(name, sizeof(name), "%.11s/%u", config->name ? config->name : "pool", number % 1000);
	pthread_setname_np(worker->thread, name);
	return 0;
}

/* Threads inherit the mask of the one that starts them: signals are the main thread's business. */
static int workers_start(struct dfs_pool *pool, const struct dfs_pool_config *config, unsigned n)
{
	sigset_t all, before;
	int code = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (!code && pool->n_workers < n)
		code = worker_start(pool, config);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

struct dfs_pool *dfs_pool_new(const struct dfs_pool_config *config)
{
	unsigned n = config->threads ? config->threads : cpus_allowed();
	struct dfs_pool *pool = calloc(1, sizeof(*pool));
	int code;

	if (!pool)
		return NULL;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_cond_init(&pool->idle, NULL);
	pool->local_free = config->local_free;
	pool->workers = calloc(n, sizeof(*pool->workers));
	code = pool->workers ? workers_start(pool, config, n) : ENOMEM;
	if (code) {
		dfs_pool_free(pool);
		errno = code;
		return NULL;
	}
	return pool;
}

void dfs_pool_submit(struct dfs_pool *pool, struct dfs_job *job, enum dfs_urgency urgency)
{
	struct queue *q = &pool->queues[urgency];

	job->next = NULL;
	pthread_mutex_lock(&pool->lock);
	if (q->last)
		q->last->next = job;
	else
		q->first = job;
	q->last = job;
	pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->lock);
}

void dfs_pool_drain(struct dfs_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	while (!pool_is_idle(pool))
		pthread_cond_wait(&pool->idle, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
}

void dfs_pool_free(struct dfs_pool *pool)
{
	int saved = errno;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->n_workers; i++) {
		struct worker *worker = &pool->workers[i];

		pthread_join(worker->thread, NULL);
		if (worker->local && pool->local_free)
			pool->local_free(worker->local);
	}
	pthread_cond_destroy(&pool->idle);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	free(pool->workers);
	free(pool);
	errno = saved;
}

unsigned dfs_pool_threads(const struct dfs_pool *pool)
{
	return pool->n_workers;
}
