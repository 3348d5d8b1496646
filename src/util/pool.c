/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool: one lock, three queues, a fixed number of threads, and spares.
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
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

/* How long a spare thread stays for more: starting one costs the next job a stall. */
#define SPARE_LINGER_MS 5000

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
	void *(*local_new)(void);
	void (*local_free)(void *local);
	struct worker *workers;
	unsigned n_workers;		/* threads that run; fixed once dfs_pool_new() returned, as are as_idle and max_spares */
	bool as_idle;

	pthread_mutex_t lock;
	pthread_cond_t work;		/* a job came, or ending was set */
	pthread_cond_t idle;		/* queues empty and running == 0 */
	struct queue queues[DFS_URGENCIES];	/* under lock */
	unsigned running;		/* jobs taken and not finished; under lock */
	unsigned taken;			/* jobs taken ever, wrapping; under lock */

	pthread_t minder;		/* starts spares; runs if max_spares */
	pthread_cond_t urgent;		/* an urgent job came, or ending was set; for spares and the minder */
	pthread_cond_t spares_gone;	/* n_spares became 0 */
	unsigned max_spares, n_spares;	/* the latter under lock */
	bool minding;			/* the minder waits for an urgent job; under lock */
	unsigned lingering;		/* spares that wait for one; under lock */
	bool ending;			/* under lock */
};

/* Under the lock. Only queues of at least @least urgency are looked at. */
static struct dfs_job *pool_take(struct dfs_pool *pool, enum dfs_urgency least)
{
	for (unsigned i = 0; i <= (unsigned)least; i++) {
		struct queue *q = &pool->queues[i];
		struct dfs_job *job = q->first;

		if (!job)
			continue;
		q->first = job->next;
		if (!q->first)
			q->last = NULL;
		pool->running++;
		pool->taken++;
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

/* Under the lock, which it lets go of meanwhile. */
static void pool_run(struct dfs_pool *pool, struct dfs_job *job, void *local)
{
	pthread_mutex_unlock(&pool->lock);
	job->run(job, local);
	pthread_mutex_lock(&pool->lock);
	pool->running--;
	if (pool_is_idle(pool))
		pthread_cond_broadcast(&pool->idle);
}

/* What is refused costs speed. */
void dfs_thread_be_idle(void)
{
	pthread_setschedparam(pthread_self(), SCHED_IDLE, &(struct sched_param){ 0 });
	syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, 3 << 13 /* IOPRIO_CLASS_IDLE */);
}

static void *worker_main(void *arg)
{
	struct worker *self = arg;
	struct dfs_pool *pool = self->pool;

	if (pool->as_idle)
		dfs_thread_be_idle();
	pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct dfs_job *job = pool_take(pool, DFS_URGENCIES - 1);

		if (job)
			pool_run(pool, job, self->local);
		else if (pool->ending)
			break;
		else
			pthread_cond_wait(&pool->work, &pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* --- spares */

/* Under the lock. Return: false if nothing urgent came in time. */
static bool spare_linger(struct dfs_pool *pool)
{
	struct timespec end = dfs_clock_after(CLOCK_MONOTONIC, SPARE_LINGER_MS);
	int code = 0;

	pool->lingering++;
	while (!code && !pool->ending && !pool->queues[DFS_URGENT].first)
		code = pthread_cond_timedwait(&pool->urgent, &pool->lock, &end);
	pool->lingering--;
	return pool->queues[DFS_URGENT].first != NULL;
}

static void *spare_main(void *arg)
{
	struct dfs_pool *pool = arg;
	void *local = pool->local_new ? pool->local_new() : NULL;

	pthread_mutex_lock(&pool->lock);
	while ((local || !pool->local_new) && spare_linger(pool))
		pool_run(pool, pool_take(pool, DFS_URGENT), local);
	pthread_mutex_unlock(&pool->lock);
	if (local && pool->local_free)
		pool->local_free(local);
	pthread_mutex_lock(&pool->lock);
	if (--pool->n_spares == 0)
		pthread_cond_broadcast(&pool->spares_gone);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* Under the lock. A thread that cannot be had is tried again at the next stall. */
static void spare_start(struct dfs_pool *pool)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (pool->n_spares == pool->max_spares || pthread_attr_init(&attr))
		return;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, spare_main, pool) == 0)
		pool->n_spares++;
	pthread_attr_destroy(&attr);
}

/* Sleeps while nothing urgent waits; then looks whether jobs move. */
static void *minder_main(void *arg)
{
	struct dfs_pool *pool = arg;

	pthread_mutex_lock(&pool->lock);
	while (!pool->ending) {
		unsigned taken = pool->taken;
		struct timespec end = dfs_clock_after(CLOCK_MONOTONIC, DFS_POOL_STALL_MS);
		int code = 0;

		if (!pool->queues[DFS_URGENT].first) {
			pool->minding = true;
			pthread_cond_wait(&pool->urgent, &pool->lock);
			pool->minding = false;
			continue;
		}
		while (!code && !pool->ending)
			code = pthread_cond_timedwait(&pool->urgent, &pool->lock, &end);
		if (pool->queues[DFS_URGENT].first && pool->taken == taken && !pool->ending)
			spare_start(pool);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* --- starting and ending */

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
	if (!code && config->spares) {
		code = pthread_create(&pool->minder, NULL, minder_main, pool);
		pool->max_spares = code ? 0 : config->spares;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

/* A clock that nobody sets. */
static void monotonic_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
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
	pthread_cond_init(&pool->spares_gone, NULL);
	monotonic_cond_init(&pool->urgent);
	pool->local_new = config->local_new;
	pool->as_idle = config->idle;
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

/* Under the lock. */
static void queue_append(struct dfs_pool *pool, enum dfs_urgency urgency, struct dfs_job *job)
{
	struct queue *q = &pool->queues[urgency];

	job->next = NULL;
	if (q->last)
		q->last->next = job;
	else
		q->first = job;
	q->last = job;
	if (urgency == DFS_URGENT && (pool->minding || pool->lingering))
		pthread_cond_broadcast(&pool->urgent);
}

/* Under the lock. Return: whether it was there. */
static bool queue_remove(struct queue *q, struct dfs_job *job)
{
	struct dfs_job *before = NULL;

	for (struct dfs_job *at = q->first; at; before = at, at = at->next) {
		if (at != job)
			continue;
		*(before ? &before->next : &q->first) = job->next;
		if (q->last == job)
			q->last = before;
		return true;
	}
	return false;
}

void dfs_pool_submit(struct dfs_pool *pool, struct dfs_job *job, enum dfs_urgency urgency)
{
	pthread_mutex_lock(&pool->lock);
	queue_append(pool, urgency, job);
	pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->lock);
}

bool dfs_pool_raise(struct dfs_pool *pool, struct dfs_job *job, enum dfs_urgency from)
{
	bool queued;

	pthread_mutex_lock(&pool->lock);
	queued = queue_remove(&pool->queues[from], job);
	if (queued)
		queue_append(pool, DFS_URGENT, job);
	pthread_mutex_unlock(&pool->lock);
	return queued;
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
	pthread_cond_broadcast(&pool->urgent);
	while (pool->n_spares)
		pthread_cond_wait(&pool->spares_gone, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	if (pool->max_spares)
		pthread_join(pool->minder, NULL);
	for (unsigned i = 0; i < pool->n_workers; i++) {
		struct worker *worker = &pool->workers[i];

		pthread_join(worker->thread, NULL);
		if (worker->local && pool->local_free)
			pool->local_free(worker->local);
	}
	pthread_cond_destroy(&pool->urgent);
	pthread_cond_destroy(&pool->spares_gone);
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
