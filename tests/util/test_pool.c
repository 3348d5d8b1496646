/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pool: order, completeness, locals, signals. */
#include "util/pool.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "../check.h"

#define MANY 20000

struct count_job {
	struct dfs_job job;
	atomic_int *sum;
};

static void count_run(struct dfs_job *job, void *local)
{
	struct count_job *mine = (struct count_job *)job;

	(void)local;
	atomic_fetch_add(mine->sum, 1);
}

static void every_job_runs_once_before_drain_returns(void **state)
{
	struct dfs_pool_config config = { .threads = 4, .name = "test" };
	struct dfs_pool *pool = dfs_pool_new(&config);
	struct count_job *jobs = calloc(MANY, sizeof(*jobs));
	atomic_int sum = 0;

	(void)state;
	CHECK(pool && jobs);
	assert_int_equal(dfs_pool_threads(pool), 4);
	for (int round = 1; round <= 3; round++) {
		for (unsigned i = 0; i < MANY; i++) {
			jobs[i] = (struct count_job){ { count_run, NULL }, &sum };
			dfs_pool_submit(pool, &jobs[i].job, i % DFS_URGENCIES);
		}
		dfs_pool_drain(pool);
		assert_int_equal(atomic_load(&sum), round * MANY);
	}
	dfs_pool_free(pool);
	free(jobs);
}

struct stuck_job {
	struct dfs_job job;
	pthread_mutex_t *gate;
};

static void stuck_run(struct dfs_job *job, void *local)
{
	struct stuck_job *mine = (struct stuck_job *)job;

	(void)local;
	pthread_mutex_lock(mine->gate);
	pthread_mutex_unlock(mine->gate);
}

static void wait_for(atomic_int *sum, int want)
{
	while (atomic_load(sum) != want)
		sched_yield();
}

static void urgent_jobs_pass_threads_that_are_stuck(void **state)
{
	struct dfs_pool_config config = { .threads = 2, .spares = 3 };
	struct dfs_pool *pool = dfs_pool_new(&config);
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct stuck_job stuck[4];
	struct count_job jobs[100];
	struct count_job later;
	atomic_int sum = 0, late = 0;

	(void)state;
	CHECK(pool);
	pthread_mutex_lock(&gate);
	for (int i = 0; i < 4; i++) {
		stuck[i] = (struct stuck_job){ { stuck_run, NULL }, &gate };
		dfs_pool_submit(pool, &stuck[i].job, DFS_URGENT);
	}
	later = (struct count_job){ { count_run, NULL }, &late };
	dfs_pool_submit(pool, &later.job, DFS_AHEAD);
	for (int i = 0; i < 100; i++) {
		jobs[i] = (struct count_job){ { count_run, NULL }, &sum };
		dfs_pool_submit(pool, &jobs[i].job, DFS_URGENT);
		wait_for(&sum, i + 1); /* for ever, if spares do not come */
	}
	assert_int_equal(atomic_load(&late), 0); /* guesses are not what spares are for */
	pthread_mutex_unlock(&gate);
	dfs_pool_drain(pool);
	assert_int_equal(atomic_load(&late), 1);
	dfs_pool_free(pool);
}

static void freeing_runs_what_is_queued(void **state)
{
	struct dfs_pool_config config = { .threads = 2 };
	struct dfs_pool *pool = dfs_pool_new(&config);
	struct count_job *jobs = calloc(MANY, sizeof(*jobs));
	atomic_int sum = 0;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		jobs[i] = (struct count_job){ { count_run, NULL }, &sum };
		dfs_pool_submit(pool, &jobs[i].job, DFS_BACKGROUND);
	}
	dfs_pool_free(pool);
	assert_int_equal(atomic_load(&sum), MANY);
	dfs_pool_free(NULL);
	free(jobs);
}

/* Holds the only thread until all is queued; then the order of the rest shows. */
struct gate_job {
	struct dfs_job job;
	pthread_mutex_t lock;
};

static void gate_run(struct dfs_job *job, void *local)
{
	struct gate_job *gate = (struct gate_job *)job;

	(void)local;
	pthread_mutex_lock(&gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

struct order_job {
	struct dfs_job job;
	char letter;
	char **at; /* one thread: no lock */
};

static void order_run(struct dfs_job *job, void *local)
{
	struct order_job *mine = (struct order_job *)job;

	(void)local;
	*(*mine->at)++ = mine->letter;
}

#define ORDERED 6

/* A pool of one thread that is held at a gate, and jobs a, b, ... queued behind it. */
struct held_pool {
	struct dfs_pool *pool;
	struct gate_job gate;
	struct order_job jobs[ORDERED];
	char got[ORDERED + 1];
	char *at;
};

static void hold_and_queue(struct held_pool *held, const enum dfs_urgency urgency[ORDERED])
{
	struct dfs_pool_config config = { .threads = 1 };

	*held = (struct held_pool){
		.pool = dfs_pool_new(&config),
		.gate = { .job = { gate_run, NULL }, .lock = PTHREAD_MUTEX_INITIALIZER },
	};
	held->at = held->got;
	CHECK(held->pool);
	pthread_mutex_lock(&held->gate.lock);
	dfs_pool_submit(held->pool, &held->gate.job, DFS_URGENT);
	for (int i = 0; i < ORDERED; i++) {
		held->jobs[i] = (struct order_job){ { order_run, NULL }, (char)('a' + i), &held->at };
		dfs_pool_submit(held->pool, &held->jobs[i].job, urgency[i]);
	}
}

static void let_go(struct held_pool *held)
{
	pthread_mutex_unlock(&held->gate.lock);
	dfs_pool_free(held->pool);
}

static void urgent_first_then_first_come(void **state)
{
	static const enum dfs_urgency urgency[ORDERED] = {
		DFS_BACKGROUND, DFS_AHEAD, DFS_URGENT, DFS_BACKGROUND, DFS_URGENT, DFS_AHEAD,
	};
	struct held_pool held;

	(void)state;
	hold_and_queue(&held, urgency);
	let_go(&held);
	assert_string_equal(held.got, "cebfad");
}

/* The head, the middle and the tail of a queue, one that is not queued, and a queue that was emptied. */
static void raised_jobs_go_behind_the_urgent_ones(void **state)
{
	static const enum dfs_urgency urgency[ORDERED] = {
		DFS_AHEAD, DFS_AHEAD, DFS_AHEAD, DFS_AHEAD, DFS_URGENT, DFS_BACKGROUND,
	};
	struct held_pool held;

	(void)state;
	hold_and_queue(&held, urgency);
	CHECK(dfs_pool_raise(held.pool, &held.jobs[3].job, DFS_AHEAD));
	CHECK(dfs_pool_raise(held.pool, &held.jobs[0].job, DFS_AHEAD));
	CHECK(!dfs_pool_raise(held.pool, &held.jobs[0].job, DFS_AHEAD));
	CHECK(dfs_pool_raise(held.pool, &held.jobs[5].job, DFS_BACKGROUND));
	CHECK(dfs_pool_raise(held.pool, &held.jobs[2].job, DFS_AHEAD));
	let_go(&held);
	assert_string_equal(held.got, "edafcb");
}

/* A job may free itself: the pool never looks at it again. */
static void free_run(struct dfs_job *job, void *local)
{
	(void)local;
	free(job);
}

static void jobs_may_vanish_as_they_run(void **state)
{
	struct dfs_pool_config config = { .threads = 3 };
	struct dfs_pool *pool = dfs_pool_new(&config);

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		struct dfs_job *job = calloc(1, sizeof(*job));

		job->run = free_run;
		dfs_pool_submit(pool, job, DFS_AHEAD);
	}
	dfs_pool_free(pool);
}

static atomic_int locals;

static void *local_new(void)
{
	atomic_fetch_add(&locals, 1);
	return calloc(1, sizeof(int));
}

static void local_free(void *local)
{
	atomic_fetch_sub(&locals, 1);
	free(local);
}

static void *local_fails(void)
{
	return NULL;
}

/* Unsynchronised on purpose: only the local's own thread counts in it. */
static void local_run(struct dfs_job *job, void *local)
{
	*(int *)local += 1;
	count_run(job, local);
}

static void each_thread_has_its_local(void **state)
{
	struct dfs_pool_config config = { .threads = 3, .local_new = local_new, .local_free = local_free };
	struct dfs_pool *pool = dfs_pool_new(&config);
	struct count_job *jobs = calloc(MANY, sizeof(*jobs));
	atomic_int sum = 0;

	(void)state;
	assert_int_equal(atomic_load(&locals), 3);
	for (unsigned i = 0; i < MANY; i++) {
		jobs[i] = (struct count_job){ { local_run, NULL }, &sum };
		dfs_pool_submit(pool, &jobs[i].job, DFS_AHEAD);
	}
	dfs_pool_free(pool);
	assert_int_equal(atomic_load(&locals), 0);
	free(jobs);
	config.local_new = local_fails;
	errno = 0;
	CHECK(!dfs_pool_new(&config));
	assert_int_equal(errno, ENOMEM);
}

struct mask_job {
	struct dfs_job job;
	sigset_t mask;
	char name[16];
};

static void mask_run(struct dfs_job *job, void *local)
{
	struct mask_job *mine = (struct mask_job *)job;

	(void)local;
	pthread_sigmask(SIG_SETMASK, NULL, &mine->mask);
	pthread_getname_np(pthread_self(), mine->name, sizeof(mine->name));
}

static void threads_are_named_and_take_no_signals(void **state)
{
	struct dfs_pool_config config = { .threads = 1, .name = "a-name-too-long-for-the-kernel" };
	struct dfs_pool *pool = dfs_pool_new(&config);
	struct mask_job job = { .job = { mask_run, NULL } };
	sigset_t ours;

	(void)state;
	dfs_pool_submit(pool, &job.job, DFS_URGENT);
	dfs_pool_free(pool);
	CHECK(sigismember(&job.mask, SIGTERM) && sigismember(&job.mask, SIGUSR1));
	assert_string_equal(job.name, "a-name-too-/0");
	pthread_sigmask(SIG_SETMASK, NULL, &ours);
	CHECK(!sigismember(&ours, SIGTERM));
}

static void zero_threads_means_one_a_cpu(void **state)
{
	struct dfs_pool_config config = { .threads = 0 };
	struct dfs_pool *pool = dfs_pool_new(&config);

	(void)state;
	CHECK(pool && dfs_pool_threads(pool) >= 1);
	dfs_pool_drain(pool);
	dfs_pool_free(pool);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(every_job_runs_once_before_drain_returns),
	cmocka_unit_test(urgent_jobs_pass_threads_that_are_stuck),
	cmocka_unit_test(freeing_runs_what_is_queued),
	cmocka_unit_test(urgent_first_then_first_come),
	cmocka_unit_test(raised_jobs_go_behind_the_urgent_ones),
	cmocka_unit_test(jobs_may_vanish_as_they_run),
	cmocka_unit_test(each_thread_has_its_local),
	cmocka_unit_test(threads_are_named_and_take_no_signals),
	cmocka_unit_test(zero_threads_means_one_a_cpu),
};

CHECK_MAIN(cases)
