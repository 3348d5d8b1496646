/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuse/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/base_work.h"
#include "fuse/internal.h"
#include "fuse/later.h"
#include "fuse/original.h"
#include "util/auto.h"

/* Those under way, and those whose end nobody has asked for yet. */
#define PLACES (4 * DFS_JOBS_RUNNING)

/* In its table from beginning to end. */
struct job {
	struct dfs_job job;
	struct dfs_mount *mount;
	struct dfs_node *node;		/* referenced; NULL: none */
	struct dfs_base_work *base;	/* owned; NULL: something is done to the node's file */
	enum dfs_job_kind kind;		/* then */
	uint64_t id;			/* 0: a free place */
	uid_t uid;
	/* under jobs->lock */
	bool over;
	int result;
	struct dfs_content *content;	/* that is becoming plain; referenced; NULL */
	uint64_t done, total;
	struct dfs_err err;
};

struct dfs_jobs {
	pthread_mutex_t lock;
	/* under lock */
	uint64_t last_id;
	struct job jobs[PLACES];
};

struct dfs_jobs *dfs_jobs_new(void)
{
	struct dfs_jobs *jobs = calloc(1, sizeof(*jobs));

	if (jobs)
		pthread_mutex_init(&jobs->lock, NULL);
	return jobs;
}

void dfs_jobs_free(struct dfs_jobs *jobs)
{
	if (!jobs)
		return;
	for (size_t i = 0; i < PLACES; i++)
		free(jobs->jobs[i].base);
	pthread_mutex_destroy(&jobs->lock);
	free(jobs);
}

/* Under the lock. A place that is free, or else the oldest that is over. NULL: too many are under way. */
static struct job *place(struct dfs_jobs *jobs, uid_t uid)
{
	unsigned running = 0, users = 0;
	struct job *best = NULL;

	for (size_t i = 0; i < PLACES; i++) {
		struct job *job = &jobs->jobs[i];
		bool is_running = job->id && !job->over;

		running += is_running;
		users += is_running && uid && job->uid == uid;
		if (!is_running && (!best || job->id < best->id))
			best = job;
	}
	return running < DFS_JOBS_RUNNING && users < DFS_JOBS_RUNNING_USER ? best : NULL;
}

static void show_content(struct job *job, struct dfs_content *content)
{
	pthread_mutex_lock(&job->mount->jobs->lock);
	job->content = content;
	job->total = content ? dfs_view_size(content->view) : job->total;
	pthread_mutex_unlock(&job->mount->jobs->lock);
}

/* A base that is plain already stays pinned as it is: nothing is settled then. */
static int make_plain(struct job *job, struct dfs_open *open, struct dfs_err *err)
{
	struct dfs_content *content = dfs_content_get(job->mount, open), *plain = NULL;
	int ret = 0;

	if (content->thaw) {
		show_content(job, content);
		ret = dfs_open_settle(job->mount, open, true, &plain, err);
		show_content(job, NULL);
	}
	dfs_content_put(job->mount, plain);
	dfs_content_put(job->mount, content);
	return ret;
}

/*
 * What is in work leaves it before the file is opened for writing; what is
 * about to be put in its place meanwhile is refused, since it is open.
 */
static int decode(struct job *job, struct dfs_err *err)
{
	struct dfs_mount *mount = job->mount;
	struct dfs_open *open;
	int ret;

	dfs_notice_by_hand(mount, job->node, false);
	ret = dfs_open_node(mount, job->node, true, &open, err);
	if (ret < 0)
		return ret;
	ret = make_plain(job, open, err);
	dfs_open_end(mount, open, true);
	if (ret == 0)
		dfs_notice_by_hand(mount, job->node, true);
	return ret;
}

static void show_bytes(struct job *job, uint64_t bytes)
{
	pthread_mutex_lock(&job->mount->jobs->lock);
	job->done = job->total = bytes;
	pthread_mutex_unlock(&job->mount->jobs->lock);
}

static int accept_file(struct job *job, struct dfs_err *err)
{
	uint64_t bytes = 0;
	int ret = dfs_original_accept(job->mount, job->node, &bytes, err);

	show_bytes(job, bytes);
	return ret;
}

static int revert_file(struct job *job, struct dfs_err *err)
{
	uint64_t bytes = 0;
	int ret = dfs_original_revert(job->mount, job->node, job->kind == DFS_JOB_REVERT_WRITTEN, &bytes, err);

	show_bytes(job, bytes);
	return ret;
}

static bool progress(void *arg, uint64_t done, uint64_t total)
{
	struct job *job = arg;

	pthread_mutex_lock(&job->mount->jobs->lock);
	job->done = done;
	job->total = total;
	pthread_mutex_unlock(&job->mount->jobs->lock);
	return !atomic_load(&job->mount->ending);
}

static void job_run(struct dfs_job *base, void *local)
{
	static int (*const works[])(struct job *job, struct dfs_err *err) = {
		[DFS_JOB_DECODE] = decode, [DFS_JOB_ACCEPT] = accept_file, [DFS_JOB_REVERT] = revert_file,
		[DFS_JOB_REVERT_WRITTEN] = revert_file,
	};
	struct job *job = (struct job *)base;
	struct dfs_mount *mount = job->mount;
	struct dfs_err err = { "" };
	int ret = job->base ? dfs_base_do(mount, job->base, progress, job, &err) : works[job->kind](job, &err);

	(void)local;
	if (ret < 0 && !*err.text)
		dfs_fail(&err, -ret, "%s", strerror(-ret));
	dfs_node_put(&mount->nodes, job->node);
	pthread_mutex_lock(&mount->jobs->lock);
	job->result = ret;
	job->err = err;
	job->over = true;
	pthread_mutex_unlock(&mount->jobs->lock);
	dfs_reads_end(mount);
}

/* What it holds is taken if it succeeds. */
static int begin(struct dfs_mount *mount, const struct job *what, uint64_t *ret_id)
{
	struct dfs_jobs *jobs = mount->jobs;
	struct job *job;

	dfs_reads_begin(mount);
	pthread_mutex_lock(&jobs->lock);
	job = place(jobs, what->uid);
	if (job) {
		free(job->base);
		*job = *what;
		job->job.run = job_run;
		job->mount = mount;
		job->id = *ret_id = ++jobs->last_id;
	}
	pthread_mutex_unlock(&jobs->lock);
	if (!job) {
		dfs_reads_end(mount);
		return -EAGAIN;
	}
	dfs_pool_submit(mount->later, &job->job, DFS_URGENT);
	return 0;
}

int dfs_job_begin(struct dfs_mount *mount, enum dfs_job_kind kind, struct dfs_node *node, uid_t uid, uint64_t *ret_id)
{
	return begin(mount, &(struct job){ .node = node, .kind = kind, .uid = uid }, ret_id);
}

int dfs_job_base(struct dfs_mount *mount, struct dfs_base_work *work, uint64_t *ret_id)
{
	return begin(mount, &(struct job){ .base = work, .uid = work->uid }, ret_id);
}

/* Under the lock. */
static void tell(struct job *job, struct dfs_job_view *view)
{
	*view = (struct dfs_job_view){
		.over = job->over, .result = job->result, .err = job->err, .total = job->total,
		.done = job->content ? dfs_thaw_done(job->content->thaw) : job->done,
	};
	if (!job->over)
		return;
	view->base = dfs_steal(&job->base);
	job->id = 0;
}

int dfs_job_ask(struct dfs_jobs *jobs, uint64_t id, uid_t uid, bool base, struct dfs_job_view *ret_view)
{
	int ret = -ENOENT;

	pthread_mutex_lock(&jobs->lock);
	for (size_t i = 0; i < PLACES && id; i++) {
		struct job *job = &jobs->jobs[i];

		if (job->id != id || (uid && uid != job->uid) || base != (job->base != NULL))
			continue;
		tell(job, ret_view);
		ret = 0;
	}
	pthread_mutex_unlock(&jobs->lock);
	return ret;
}
