/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * give_up_job: one tensor on its way to a codec that gives up bits, as a job of
 * a pool whose hands are dfs_hand_new()'s. Private to give_up.
 */
#ifndef DFS_WRITE_GIVE_UP_JOB_H
#define DFS_WRITE_GIVE_UP_JOB_H

#include <pthread.h>

#include "util/pool.h"
#include "write/allowance.h"
#include "write/glance.h"
#include "write/work.h"

/* All that the jobs share. */
struct dfs_passes {
	const struct dfs_spec *spec;
	const struct dfs_lossy *lossy;
	struct dfs_allowance allowance;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint32_t running;	/* under lock, as all below */
	uint64_t done;		/* bytes of the file, once for each pass */
	int ret;		/* the first failure */
	struct dfs_err err;
};

struct dfs_pass_job {
	struct dfs_job job;
	struct dfs_passes *p;
	struct dfs_work *w;
	uint32_t segment;
	bool differs, finite;	/* found on the way */
	bool smaller;		/* coded exactly */
	struct dfs_glance glance;	/* no bytes: none yet */
	bool unplanned;		/* the model's plan knows nothing of it */
};

static inline struct dfs_work_lossy *dfs_pass_lossy(const struct dfs_pass_job *job)
{
	return job->w->segments[job->segment].lossy;
}

/* dfs_pass_gives_up() - was there something to give up, did the codec take it, and is it worth it; after the passes, or prepare */
static inline bool dfs_pass_gives_up(const struct dfs_pass_job *j)
{
	return j->finite && j->differs && !j->unplanned && !j->smaller && dfs_pass_lossy(j)->tensor.values;
}

/* dfs_pass_measure() - all passes over the tensor; its record stays for a plan */
void dfs_pass_measure(struct dfs_job *job, void *hand);
/* dfs_pass_prepare() - its table, by a plan that somebody else made; the record stays, as it does with the next */
void dfs_pass_prepare(struct dfs_job *job, void *hand);
/* dfs_pass_try() - its table, by a plan just made, again if need be; and is it smaller than coded exactly */
void dfs_pass_try(struct dfs_job *job, void *hand);
/* dfs_pass_both() - all this, where nothing is planned: only the tensors that are worked on have a record */
void dfs_pass_both(struct dfs_job *job, void *hand);

/*
 * dfs_pass_compare() - what takes no more bytes coded exactly, table and all, is j->smaller
 * Its own table must be there. Return: 0; -EIO, -ENOMEM.
 */
int dfs_pass_compare(struct dfs_pass_job *j, struct dfs_hand *hand, struct dfs_err *err);

/* dfs_pass_failed() - note progress. Return: nothing more needs to be done. */
bool dfs_pass_failed(struct dfs_passes *p, uint64_t done);

#endif
