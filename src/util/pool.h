/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool: a fixed number of threads that run jobs, urgent ones first.
 *
 * A job is embedded in its owner's struct and must live until its run() has
 * been entered; the pool never touches it after that. Each thread has a local
 * object (scratch buffers) that its jobs share.
 *
 * A thread may get stuck in a job for as long as a disk hangs. Spare threads
 * keep that from stopping everybody: one is started whenever an urgent job has
 * waited DFS_POOL_STALL_MS and no thread took anything meanwhile. Spares take
 * urgent jobs only and end when there are none for a while.
 */
#ifndef DFS_UTIL_POOL_H
#define DFS_UTIL_POOL_H

#include <stdbool.h>

struct dfs_pool;

struct dfs_job {
	void (*run)(struct dfs_job *job, void *local);
	struct dfs_job *next; /* under the pool's lock */
};

enum dfs_urgency {
	DFS_URGENT,	/* somebody waits for it */
	DFS_AHEAD,	/* somebody will probably ask */
	DFS_BACKGROUND,
	DFS_URGENCIES
};

/* Far above any job that computes, far below what a person calls hanging. */
#define DFS_POOL_STALL_MS 100

struct dfs_pool_config {
	unsigned threads;		/* 0: one a CPU of this process's affinity mask */
	unsigned spares;		/* at most so many besides, when all threads are stuck */
	const char *name;		/* threads show as name/0, name/1, ... */
	bool idle;			/* they run when nobody else wants the CPU or the disk; for pools without spares */
	void *(*local_new)(void);	/* may be NULL: local is NULL */
	void (*local_free)(void *local);
};

/* dfs_pool_new() - start the threads, all signals blocked. Return: NULL with errno set on failure. */
struct dfs_pool *dfs_pool_new(const struct dfs_pool_config *config);

/* dfs_pool_submit() - queue @job; first in, first out among equals. Never fails, never blocks. */
void dfs_pool_submit(struct dfs_pool *pool, struct dfs_job *job, enum dfs_urgency urgency);

/**
 * dfs_pool_raise() - make a job urgent that was queued as less
 * @from: what it was queued as
 *
 * It goes behind the urgent ones that wait already. Looks through the queue
 * from its head: meant for the jobs that are next there.
 *
 * Return: false if it is not queued any more: a thread has it.
 */
bool dfs_pool_raise(struct dfs_pool *pool, struct dfs_job *job, enum dfs_urgency from);

/* dfs_pool_drain() - wait until nothing is queued or running. Not from a job. */
void dfs_pool_drain(struct dfs_pool *pool);

/* dfs_pool_free() - run what is queued, then end the threads. NULL is fine. */
void dfs_pool_free(struct dfs_pool *pool);

unsigned dfs_pool_threads(const struct dfs_pool *pool);

/* dfs_thread_be_idle() - this thread runs when nobody else wants the CPU or the disk, from now on */
void dfs_thread_be_idle(void);

#endif
