/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settle: see settle.h.
 */
#include "read/settle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

struct dfs_settling {
	struct dfs_job job;
	struct dfs_settler *settler;
	struct dfs_settling *next;	/* under settler->lock */
	struct dfs_base_file want;	/* its strings are ours */
	bool suspicion;			/* under settler->lock */
};

static int64_t now_ms(void)
{
	return dfs_clock_ms(CLOCK_MONOTONIC_COARSE);
}

int dfs_settler_init(struct dfs_settler *settler, struct dfs_bases *bases, struct dfs_log *log, unsigned after_ms)
{
	struct dfs_pool_config config = { .threads = 1, .name = "settle" };

	settler->bases = bases;
	settler->log = log;
	settler->after_ms = after_ms;
	pthread_mutex_init(&settler->lock, NULL);
	pthread_cond_init(&settler->wake, NULL);
	settler->pool = dfs_pool_new(&config);
	return settler->pool ? 0 : -errno;
}

void dfs_settler_end(struct dfs_settler *settler)
{
	if (!settler->pool)
		return;
	pthread_mutex_lock(&settler->lock);
	settler->ending = true;
	pthread_cond_broadcast(&settler->wake);
	pthread_mutex_unlock(&settler->lock);
}

void dfs_settler_release(struct dfs_settler *settler)
{
	if (!settler->pool)
		return;
	dfs_settler_end(settler);
	dfs_pool_free(settler->pool);
	pthread_cond_destroy(&settler->wake);
	pthread_mutex_destroy(&settler->lock);
}

void dfs_settler_note_read(struct dfs_settler *settler)
{
	if (settler->after_ms)
		atomic_store_explicit(&settler->read_ms, now_ms(), memory_order_relaxed);
}

/* --- the thread */

/* What others do with CPU and disk comes first. Quiet where it may not: then it is merely less polite. */
static void be_humble(void)
{
	enum { WHO_PROCESS = 1, CLASS_IDLE = 3 << 13 }; /* linux/ioprio.h; a thread is a process here */

	setpriority(PRIO_PROCESS, 0, 19);
	syscall(SYS_ioprio_set, WHO_PROCESS, 0, CLASS_IDLE);
}

/* Under the lock, for at most a second: a read that comes meanwhile does not wake us. */
static void wait_ms(struct dfs_settler *settler, int64_t ms)
{
	struct timespec end = dfs_clock_after(CLOCK_REALTIME, ms < 1000 ? ms : 1000);

	pthread_cond_timedwait(&settler->wake, &settler->lock, &end);
}

/* dfs_hash_progress_fn: may it go on? Waits until it may. */
static bool pace(void *arg, uint64_t done_bytes, uint64_t total_bytes)
{
	struct dfs_settling *settling = arg;
	struct dfs_settler *settler = settling->settler;
	bool go = false;

	(void)done_bytes;
	(void)total_bytes;
	pthread_mutex_lock(&settler->lock);
	while (!settler->ending && !go && (settling->suspicion || !settler->suspicions)) {
		int64_t rest = atomic_load_explicit(&settler->read_ms, memory_order_relaxed) + settler->after_ms - now_ms();

		go = settling->suspicion || rest <= 0;
		if (!go)
			wait_ms(settler, rest);
	}
	pthread_mutex_unlock(&settler->lock);
	return go;
}

static void settling_free(struct dfs_settling *settling)
{
	free((char *)settling->want.name);
	free((char *)settling->want.origin);
	free(settling);
}

/* Under the lock. */
static void unlist(struct dfs_settler *settler, struct dfs_settling *settling)
{
	struct dfs_settling **p = &settler->list;

	while (*p != settling)
		p = &(*p)->next;
	*p = settling->next;
	settler->suspicions -= settling->suspicion;
}

/* Return: whether it is queued again, having given its turn to another. */
static bool again(struct dfs_settling *settling, int ret)
{
	struct dfs_settler *settler = settling->settler;
	bool requeue;

	pthread_mutex_lock(&settler->lock);
	requeue = ret == -ECANCELED && !settler->ending;
	if (!requeue)
		unlist(settler, settling);
	pthread_mutex_unlock(&settler->lock);
	if (requeue)
		dfs_pool_submit(settler->pool, &settling->job, settling->suspicion ? DFS_URGENT : DFS_BACKGROUND);
	return requeue;
}

static void settle_run(struct dfs_job *job, void *local)
{
	struct dfs_settling *settling = (struct dfs_settling *)job;
	struct dfs_settler *settler = settling->settler;
	struct dfs_err err = { "" };
	int ret = -ECANCELED;

	(void)local;
	be_humble();
	if (pace(settling, 0, 0))
		ret = dfs_bases_settle(settler->bases, &settling->want, pace, settling, &err);
	if (again(settling, ret))
		return;
	if (ret < 0 && ret != -ECANCELED && ret != -EALREADY)
		dfs_log_line(settler->log, DFS_LOG_ERROR, "%s", err.text);
	settling_free(settling);
}

/* --- submitting */

/* Under the lock. */
static struct dfs_settling *listed(const struct dfs_settler *settler, const struct dfs_base_file *want)
{
	struct dfs_settling *settling = settler->list;

	while (settling && !dfs_hash_equal(settling->want.hash, want->hash))
		settling = settling->next;
	return settling;
}

static struct dfs_settling *settling_new(struct dfs_settler *settler, const struct dfs_base_file *want, bool suspicion)
{
	struct dfs_settling *settling = calloc(1, sizeof(*settling));

	if (!settling)
		return NULL;
	settling->job.run = settle_run;
	settling->settler = settler;
	settling->suspicion = suspicion;
	settling->want = *want;
	settling->want.name = strdup(want->name ? want->name : "");
	settling->want.origin = strdup(want->origin ? want->origin : "");
	if (settling->want.name && settling->want.origin)
		return settling;
	settling_free(settling);
	return NULL;
}

/* Without memory for it nothing is settled: the next occasion may. */
static void submit(struct dfs_settler *settler, const struct dfs_base_file *want, bool suspicion)
{
	struct dfs_settling *fresh = NULL, *known;

	pthread_mutex_lock(&settler->lock);
	known = listed(settler, want);
	if (known && suspicion && !known->suspicion) {
		known->suspicion = true; /* it goes on at once */
		settler->suspicions++;
		pthread_cond_broadcast(&settler->wake);
	}
	if (!known && !settler->ending)
		fresh = settling_new(settler, want, suspicion);
	if (fresh) {
		fresh->next = settler->list;
		settler->list = fresh;
		settler->suspicions += suspicion;
		pthread_cond_broadcast(&settler->wake);
	}
	pthread_mutex_unlock(&settler->lock);
	if (fresh)
		dfs_pool_submit(settler->pool, &fresh->job, suspicion ? DFS_URGENT : DFS_BACKGROUND);
}

void dfs_settler_first_use(struct dfs_settler *settler, const struct dfs_base_file *want, struct dfs_base *base)
{
	if (settler->after_ms && dfs_base_claim(base))
		submit(settler, want, false);
}

void dfs_settler_suspect(struct dfs_settler *settler, const struct dfs_base_file *want)
{
	submit(settler, want, true);
}
