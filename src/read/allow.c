/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * allow: see allow.h.
 */
#include "read/allow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "read/internal.h"
#include "store/access.h"

/* Questions that hang: bases on servers that are gone, each with a thread that looks at their names. */
#define SPARES 8

struct question {
	struct dfs_job job;
	struct dfs_view *view;	/* referenced */
	uint32_t file;
	struct dfs_base *base;	/* referenced */
	struct dfs_gate *gate;	/* shut until it is answered */
};

int dfs_allow_init(struct dfs_allow *allow)
{
	struct dfs_pool_config config = { .threads = 1, .spares = SPARES, .name = "ask" };

	pthread_mutex_init(&allow->lock, NULL);
	allow->pool = dfs_pool_new(&config);
	return allow->pool ? 0 : -errno;
}

void dfs_allow_release(struct dfs_allow *allow)
{
	if (!allow->pool)
		return;
	dfs_pool_free(allow->pool);
	pthread_mutex_destroy(&allow->lock);
}

static int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

/* Return: 0 or an error, as answered; -EAGAIN: not, or too long ago. */
static int remembered(struct dfs_allow *allow, uid_t uid, uint64_t serial)
{
	int64_t now = now_s();
	int ret = -EAGAIN;

	pthread_mutex_lock(&allow->lock);
	for (unsigned i = 0; i < DFS_ALLOW_ANSWERS && ret == -EAGAIN; i++) {
		const struct dfs_answer *answer = &allow->answers[i];

		if (answer->serial == serial && answer->uid == uid && now < answer->until_s)
			ret = answer->ret;
	}
	pthread_mutex_unlock(&allow->lock);
	return ret;
}

static void remember(struct dfs_allow *allow, uid_t uid, uint64_t serial, int ret)
{
	pthread_mutex_lock(&allow->lock);
	allow->asked++;
	allow->answers[allow->next] = (struct dfs_answer){
		.serial = serial,
		.uid = uid,
		.until_s = now_s() + (ret == 0 ? DFS_ALLOW_GRANT_S : DFS_ALLOW_REFUSAL_S),
		.ret = ret,
	};
	allow->next = (allow->next + 1) % DFS_ALLOW_ANSWERS;
	pthread_mutex_unlock(&allow->lock);
}

static void ask_run(struct dfs_job *job, void *local)
{
	struct question *question = (struct question *)job;
	struct dfs_view *view = question->view;
	struct dfs_reader *reader = view->reader;
	int ret = dfs_access_check(reader->store, &view->st, view->trusted,
				   &view->container->bases[question->file], question->base, NULL);

	(void)local;
	remember(&reader->allow, view->st.st_uid, question->base->serial, ret);
	dfs_gate_leave(&reader->gates, question->gate);
	dfs_base_put(reader->bases, question->base);
	dfs_view_unref(view);
	free(question);
}

static int ask(struct dfs_view *view, uint32_t file, struct dfs_base *base, const struct dfs_gate_key *key,
	       struct dfs_err *err)
{
	struct dfs_reader *reader = view->reader;
	struct question *question = calloc(1, sizeof(*question));
	int ret = question ? dfs_gate_shut(&reader->gates, key, &question->gate) : -ENOMEM;

	if (ret < 0) {
		free(question);
		return ret == -EALREADY ? -EAGAIN : dfs_fail(err, ENOMEM, "out of memory");
	}
	question->job.run = ask_run;
	question->view = view;
	question->file = file;
	question->base = base;
	dfs_view_ref(view);
	dfs_base_hold(reader->bases, base);
	dfs_pool_submit(reader->allow.pool, &question->job, DFS_URGENT);
	return -EAGAIN;
}

bool dfs_allow_is_given(const struct dfs_view *view)
{
	uid_t uid = view->st.st_uid;

	return !view->reader->store || view->trusted || uid == 0 || uid == geteuid();
}

int dfs_allow(struct dfs_view *view, uint32_t file, struct dfs_base *base,
	      struct dfs_gate_key *ret_key, struct dfs_err *err)
{
	uid_t uid = view->st.st_uid;
	int ret;

	if (dfs_allow_is_given(view))
		return 0;
	ret = remembered(&view->reader->allow, uid, base->serial);
	if (ret == -EAGAIN) {
		*ret_key = (struct dfs_gate_key){ .hash = base->hash, .serial = base->serial, .uid = uid };
		return ask(view, file, base, ret_key, err);
	}
	return ret < 0 ? dfs_access_refuse(&view->st, &view->container->bases[file], ret, err) : 0;
}
