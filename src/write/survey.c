/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/survey.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "store/claim.h"
#include "store/policy.h"
#include "store/walk.h"
#include "util/auto.h"
#include "util/clock.h"
#include "util/pool.h"
#include "util/thread.h"
#include "util/tree.h"

/* Between two looks whether the queue has room, and until the end is seen. */
#define PAUSE_MS 100
/* So long a file waits for a place among those that are queued. */
#define PATIENCE_MS 60000

/* As old as files need be told to be. */
#define AGE_MAX_S 604800

struct dfs_survey {
	struct dfs_survey_config config;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;	/* CLOCK_MONOTONIC */
	char *from;		/* where to walk from; NULL: nothing is to do; under lock */
	bool ending;		/* under lock */
	char *queued[DFS_SURVEY_WAITING];	/* files that were queued last; of the thread */
	size_t oldest;		/* of these, whose place goes to another if none of them is done in time */
};

/* A directory on the way. */
struct place {
	const char *rel;
	bool existing, ingest;	/* there */
	unsigned depth;
};

static bool is_ending(struct dfs_survey *s)
{
	bool ending;

	pthread_mutex_lock(&s->lock);
	ending = s->ending;
	pthread_mutex_unlock(&s->lock);
	return ending || dfs_queue_stopping(s->config.queue);
}

/* A place for one more file; NULL: all are in the queue still. */
static char **free_place(struct dfs_survey *s)
{
	for (size_t i = 0; i < DFS_SURVEY_WAITING; i++)
		if (!s->queued[i] || dfs_queue_settled(s->config.queue, s->queued[i]))
			return &s->queued[i];
	return NULL;
}

/* Files that wait for room, or for days, do not hold up the others for ever. Return: NULL: it is the end. */
static char **wait_for_place(struct dfs_survey *s)
{
	int64_t until = dfs_clock_ms(CLOCK_MONOTONIC) + PATIENCE_MS;
	char **place;

	while (!(place = free_place(s)) && !is_ending(s)) {
		if (dfs_clock_ms(CLOCK_MONOTONIC) >= until) {
			place = &s->queued[s->oldest++ % DFS_SURVEY_WAITING];
			break;
		}
		struct timespec end = dfs_clock_after(CLOCK_MONOTONIC, PAUSE_MS);

		pthread_mutex_lock(&s->lock);
		pthread_cond_timedwait(&s->wake, &s->lock, &end);
		pthread_mutex_unlock(&s->lock);
	}
	return is_ending(s) ? NULL : place;
}

/* --- files that were there before */

/* What only a policy kept from it may have another by now. */
static bool is_decided(struct dfs_survey *s, const struct stat *st)
{
	struct dfs_reason why;

	return dfs_ledger_find(s->config.ledger, st, &why) && why.id != DFS_REASON_INGEST_OFF &&
	       why.id != DFS_REASON_EXCLUDED && why.id != DFS_REASON_POLICY_BASE;
}

/* By a clock that may have been set meanwhile: a week, as policies have it, is as good as ever. */
static int64_t age_ms(const struct stat *st)
{
	int64_t age = time(NULL) - st->st_mtim.tv_sec;

	return age < 0 ? 0 : (age < AGE_MAX_S ? age : AGE_MAX_S) * 1000;
}

/* Return: 0; -ECANCELED. What cannot be read stays. */
static int consider(struct dfs_survey *s, const char *rel)
{
	DFS_AUTO(fd) int fd = -1;
	struct dfs_claim claim;
	struct stat st;
	char **place;

	if (dfs_store_openat(s->config.store, rel, O_RDONLY | O_NOATIME, &fd) < 0 || fstat(fd, &st) < 0 ||
	    !S_ISREG(st.st_mode) || st.st_size == 0 || is_decided(s, &st))
		return 0;
	if (dfs_claim_check(fd, (uint64_t)st.st_size, &claim) < 0 || claim.kind != DFS_PLAIN ||
	    !dfs_queue_settled(s->config.queue, rel))
		return 0;
	place = wait_for_place(s);
	if (!place)
		return -ECANCELED;
	free(*place);
	*place = strdup(rel);
	dfs_queue_found(s->config.queue, rel, age_ms(&st));
	dfs_queue_sized(s->config.queue, rel, (uint64_t)st.st_size);
	return 0;
}

/* --- directories */

/* Its own words, over those from above. */
static void take_policy(struct dfs_survey *s, int fd, struct place *place)
{
	DFS_AUTO(paths) struct dfs_paths lines = { 0 };
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };

	if (dfs_policy_read(fd, &lines) < 0 || dfs_policy_add(&policy, place->rel, &lines) < 0)
		return;
	place->existing = dfs_policy_is(&policy, DFS_POLICY_EXISTING, place->existing);
	place->ingest = dfs_policy_is(&policy, DFS_POLICY_INGEST, place->ingest);
	if (!dfs_policy_get(&policy, DFS_POLICY_QUIET))
		return;
	dfs_queue_quiet(s->config.queue, dfs_policy_quiet_ms(&policy, UINT_MAX));
	/* what was written before anybody knew */
	dfs_queue_look(s->config.queue, place->rel);
}

static int walk(struct dfs_survey *s, int fd, struct place place);

static bool may_be(const struct dirent *entry, unsigned char type)
{
	return entry->d_type == type || entry->d_type == DT_UNKNOWN;
}

static int step(struct dfs_survey *s, int dir, const struct place *above, const struct dirent *entry)
{
	struct place place = *above;
	DFS_AUTO(mem) char *rel = NULL;
	int fd, ret = -ENOTDIR;

	if (asprintf(&rel, "%s%s%s", above->rel, *above->rel ? "/" : "", entry->d_name) < 0) {
		rel = NULL;
		return 0;
	}
	place.rel = rel;
	place.depth++;
	/* a mount is not opened: it may be ours */
	if (may_be(entry, DT_DIR) && place.depth <= DFS_WALK_DEPTH)
		ret = dfs_store_subdirectory(dir, entry->d_name, &fd);
	if (ret == 0)
		return walk(s, fd, place);
	return ret == -ENOTDIR && may_be(entry, DT_REG) && above->existing && above->ingest ? consider(s, rel) : 0;
}

static bool is_passed_over(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, DFS_STORE_DIR);
}

/* @fd: taken. Return: 0; -ECANCELED. What cannot be read is left out. */
static int walk(struct dfs_survey *s, int fd, struct place place)
{
	DFS_AUTO(dir) DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int ret = 0;

	if (!dir) {
		close(fd);
		return 0;
	}
	take_policy(s, fd, &place);
	while (ret == 0 && (entry = readdir(dir))) {
		if (is_ending(s))
			ret = -ECANCELED;
		else if (!is_passed_over(entry->d_name))
			ret = step(s, fd, &place, entry);
	}
	return ret;
}

/* --- taking turns */

static int walk_from(struct dfs_survey *s, const char *rel)
{
	DFS_AUTO(policy) struct dfs_policy policy = { 0 };
	struct place place = { .rel = rel };
	int fd, ret = dfs_policy_load(s->config.store, rel, &policy);

	if (ret == 0)
		ret = dfs_store_openat(s->config.store, rel, O_RDONLY | O_DIRECTORY, &fd);
	if (ret < 0)
		return ret;
	place.existing = dfs_policy_is(&policy, DFS_POLICY_EXISTING, false);
	place.ingest = dfs_policy_is(&policy, DFS_POLICY_INGEST, true);
	dfs_queue_quiet(s->config.queue, dfs_policy_quiet_ms(&policy, UINT_MAX));
	return walk(s, fd, place);
}

/* Return: NULL: it is the end. free() it. */
static char *next_turn(struct dfs_survey *s)
{
	char *from;

	pthread_mutex_lock(&s->lock);
	while (!s->from && !s->ending)
		pthread_cond_wait(&s->wake, &s->lock);
	from = s->ending ? NULL : dfs_steal(&s->from);
	pthread_mutex_unlock(&s->lock);
	return from;
}

static void *survey_main(void *arg)
{
	struct dfs_survey *s = arg;
	char *from;

	dfs_thread_be_idle();
	while ((from = next_turn(s))) {
		int ret = walk_from(s, from);

		if (ret < 0 && ret != -ECANCELED && ret != -ENOENT && ret != -ENOTDIR)
			dfs_log_line(s->config.log, DFS_LOG_WARNING, "/%s: its policy cannot be read: %s", from, strerror(-ret));
		free(from);
	}
	return NULL;
}

/* What waits already and this: what lies above both. */
static char *above_both(const char *a, const char *b)
{
	if (dfs_tree_covers(a, b))
		return strdup(a);
	return strdup(dfs_tree_covers(b, a) ? b : "");
}

void dfs_survey_look(struct dfs_survey *s, const char *rel)
{
	char *from;

	pthread_mutex_lock(&s->lock);
	from = above_both(s->from ? s->from : rel, rel);
	if (from) {
		free(s->from);
		s->from = from;
	}
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

static void survey_release(struct dfs_survey *s)
{
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	for (size_t i = 0; i < DFS_SURVEY_WAITING; i++)
		free(s->queued[i]);
	free(s->from);
	free(s);
}

int dfs_survey_new(const struct dfs_survey_config *config, struct dfs_survey **ret_survey, struct dfs_err *err)
{
	struct dfs_survey *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (!s)
		return dfs_fail(err, ENOMEM, "out of memory");
	s->config = *config;
	s->from = strdup("");
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (!s->from || dfs_thread_start(&s->thread, survey_main, s) < 0) {
		survey_release(s);
		return dfs_fail(err, EAGAIN, "cannot start a thread");
	}
	*ret_survey = s;
	return 0;
}

void dfs_survey_free(struct dfs_survey *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->ending = true;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	survey_release(s);
}
