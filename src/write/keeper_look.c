/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper_look: what is to go goes, and what is not where it was is looked for.
 * See keeper.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/walk.h"
#include "util/clock.h"
#include "util/thread.h"
#include "write/keeper_internal.h"

/* Walks that must have missed a file before it is taken to be gone. */
#define MISSES 2
/* A walk in so many times its own time. */
#define SEARCH_SHARE 20
/* Who moves a file says so just after. */
#define SETTLE_MS 200

static void say(const struct dfs_keeper *k, enum dfs_log_level level, const struct dfs_kept *kept, const char *what)
{
	if (k->config.log)
		dfs_log_line(k->config.log, level, "%s: its original, %llu bytes, %s", kept->path, (unsigned long long)kept->bytes, what);
}

static bool ended(struct dfs_keeper *k)
{
	bool so;

	pthread_mutex_lock(&k->lock);
	so = k->ended;
	pthread_mutex_unlock(&k->lock);
	return so;
}

/* --- one, held */

struct looked {
	struct dfs_keeper *k;
	struct dfs_keeper_entry *e;	/* held */
	struct dfs_kept kept;		/* as it was when the look began */
	unsigned removed;		/* the same */
	bool emptied, moved;
	bool adopt_only;
	bool dropped;
	bool astray;
	bool written;			/* the record says what kept does */
};

static void let_go(struct looked *l, const char *why)
{
	struct dfs_err err = { "" };

	l->dropped = dfs_kept_let_go(l->k->config.store, l->kept.id, &err) == 0;
	if (l->dropped)
		say(l->k, DFS_LOG_INFO, &l->kept, why);
	else if (l->k->config.log)
		dfs_log_line(l->k->config.log, DFS_LOG_WARNING, "%s; it is tried again", err.text);
}

/* The record is to say what is known here. */
static void write_record(struct looked *l)
{
	struct dfs_err err = { "" };

	l->written = dfs_kept_write(l->k->config.store, &l->kept, &err) == 0;
	if (!l->written && l->k->config.log)
		dfs_log_line(l->k->config.log, DFS_LOG_WARNING, "%s", err.text);
}

/* In a store that was copied here. */
static void adopt(struct looked *l, const struct dfs_file_id *file)
{
	char path[DFS_KEPT_PATH_SIZE];
	struct dfs_file_id original;

	if (dfs_file_id_at(dfs_store_fd(l->k->config.store), dfs_kept_path(l->kept.id, path), &original) < 0)
		return;
	l->kept.original = original;
	l->kept.files[0] = *file;
	l->kept.files[1] = (struct dfs_file_id){ 0 };
	write_record(l);
}

/* The number of what was replaced may be another file's by now. */
static void settle(struct looked *l, const struct dfs_file_id *file)
{
	bool two = l->kept.files[1].ino != 0;

	l->kept.files[0] = *file;
	l->kept.files[1] = (struct dfs_file_id){ 0 };
	if (two || l->moved)
		write_record(l);
}

static void look_at(struct looked *l)
{
	struct dfs_file_id file = { 0 };
	enum dfs_kept_state state;

	if (l->adopt_only) {
		if (dfs_kept_look(l->k->config.store, &l->kept, &file) == DFS_KEPT_MOVED)
			adopt(l, &file);
		return;
	}
	if (l->emptied) {
		let_go(l, "goes, since the file was emptied, or another copied into it");
		return;
	}
	if (l->kept.until_s <= time(NULL)) {
		let_go(l, "goes: its time is over");
		return;
	}
	state = dfs_kept_look(l->k->config.store, &l->kept, &file);
	if (state == DFS_KEPT_GONE)
		let_go(l, "is not there any more");
	else if (state == DFS_KEPT_NOT_YET)
		let_go(l, "has its name again");
	else if (state == DFS_KEPT_ASTRAY && l->removed)
		let_go(l, "goes with the file");
	else if (state == DFS_KEPT_MOVED)
		adopt(l, &file);
	else if (state == DFS_KEPT_THERE)
		settle(l, &file);
	l->astray = state == DFS_KEPT_ASTRAY;
	if (state == DFS_KEPT_ADRIFT && !l->e->told)
		say(l->k, DFS_LOG_WARNING, &l->kept, "was copied here, and what it is the original of is not at its path");
	l->e->told |= state == DFS_KEPT_ADRIFT;
}

/* Return: whether it is there, and what it is kept for is not where it was. */
static bool look_one(struct dfs_keeper *k, const char *id, bool adopt_only)
{
	struct looked l = { .k = k, .adopt_only = adopt_only };
	bool copied = false;

	pthread_mutex_lock(&k->lock);
	l.e = dfs_keeper_hold(k, id);
	if (l.e) {
		copied = dfs_kept_copy(&l.e->kept, &l.kept) == 0;
		l.removed = l.e->removed;
		l.emptied = l.e->emptied;
		l.moved = l.e->moved;
	}
	pthread_mutex_unlock(&k->lock);
	if (!l.e)
		return false;
	if (copied)
		look_at(&l);
	pthread_mutex_lock(&k->lock);
	if (copied && !l.dropped) {
		l.e->kept.original = l.kept.original;
		memcpy(l.e->kept.files, l.kept.files, sizeof(l.kept.files));
		/* Moved once more meanwhile: the next look writes that. */
		l.e->moved = strcmp(l.e->kept.path, l.kept.path) != 0 || (l.moved && !l.written);
		if (!l.astray && !adopt_only) {
			/* Removed meanwhile: the next look sees that. */
			l.e->removed -= l.removed;
			l.e->missed = 0;
		}
	}
	if (l.dropped)
		dfs_keeper_drop(k, l.e);
	else
		dfs_keeper_unhold(k, l.e);
	pthread_mutex_unlock(&k->lock);
	if (copied)
		dfs_kept_release(&l.kept);
	return l.astray && !l.dropped;
}

/* --- those that are not where they were */

struct astray {
	char id[DFS_KEPT_ID];
	struct dfs_kept kept;
	bool found;
};

struct search {
	struct dfs_keeper *k;
	struct astray *astray;
	size_t n;
	bool incomplete;
};

static void found(struct dfs_keeper *k, struct astray *a, const char *path)
{
	char *copy = strdup(path);
	struct dfs_keeper_entry *e;

	a->found = true;
	pthread_mutex_lock(&k->lock);
	e = dfs_keeper_entry_of(k, a->id);
	if (e && copy) {
		free(e->kept.path);
		e->kept.path = dfs_steal(&copy);
		e->moved = true;
		e->removed = 0;
		e->missed = 0;
	}
	pthread_mutex_unlock(&k->lock);
	free(copy);
}

static int visit(void *arg, const struct dfs_walk_file *file)
{
	struct search *s = arg;
	struct dfs_file_id id = { 0 };

	if (ended(s->k))
		return -ECANCELED;
	for (size_t i = 0; i < s->n; i++) {
		struct astray *a = &s->astray[i];

		if (a->found)
			continue;
		if (!id.ino && dfs_file_id_of(file->fd, &id) < 0) {
			s->incomplete = true;
			return 0;
		}
		/* Its own name, elsewhere: nothing ever took it. The next look lets go of the link. */
		if (dfs_kept_is_for(&a->kept, &id) || dfs_file_id_same(&a->kept.original, &id))
			found(s->k, a, file->path);
	}
	return 0;
}

static void fail(void *arg, const char *path, int ret, const char *why)
{
	struct search *s = arg;

	(void)path, (void)ret, (void)why;
	s->incomplete = true;
}

/* Nowhere: once is no proof, since a file that moves behind the mount may be passed by. */
static void missed(struct dfs_keeper *k, const struct astray *a)
{
	struct dfs_keeper_entry *e;

	pthread_mutex_lock(&k->lock);
	e = dfs_keeper_entry_of(k, a->id);
	if (e) {
		e->removed += ++e->missed >= MISSES;
		k->hurry |= e->removed > 0;
	}
	pthread_mutex_unlock(&k->lock);
}

static uint64_t moves(struct dfs_keeper *k)
{
	uint64_t n;

	pthread_mutex_lock(&k->lock);
	n = k->moves;
	pthread_mutex_unlock(&k->lock);
	return n;
}

/* What went before a crash nobody knows of any more: the first walks come one after the other. */
static void search_again_soon(struct dfs_keeper *k)
{
	if (k->searched == MISSES || ++k->searched == MISSES)
		return;
	k->search_ms = 0;
	pthread_mutex_lock(&k->lock);
	k->hurry = true;
	pthread_mutex_unlock(&k->lock);
}

static void search(struct search *s)
{
	static const struct dfs_walk_ops ops = { visit, fail };
	const struct timespec settle = { 0, SETTLE_MS * 1000000 };
	int64_t start = dfs_clock_ms(CLOCK_MONOTONIC), took;
	uint64_t before = moves(s->k);
	int ret = dfs_walk(dfs_store_fd(s->k->config.store), "", &ops, s, NULL);

	took = dfs_clock_ms(CLOCK_MONOTONIC) - start;
	s->k->search_ms = start + took + (SEARCH_SHARE * took > s->k->config.search_ms ? SEARCH_SHARE * took : s->k->config.search_ms);
	nanosleep(&settle, NULL);
	if (ret < 0 || s->incomplete || moves(s->k) != before)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (!s->astray[i].found)
			missed(s->k, &s->astray[i]);
	search_again_soon(s->k);
}

/* --- all */

/* Return: how many; @ret_ids: free() it */
static size_t all_ids(struct dfs_keeper *k, struct astray **ret_ids)
{
	struct astray *ids;
	size_t n;

	pthread_mutex_lock(&k->lock);
	k->hurry = false;
	ids = calloc(k->n ? k->n : 1, sizeof(*ids));
	n = ids ? k->n : 0;
	for (size_t i = 0; i < n; i++)
		memcpy(ids[i].id, k->entries[i]->kept.id, sizeof(ids[i].id));
	pthread_mutex_unlock(&k->lock);
	*ret_ids = ids;
	return n;
}

static bool copy_one(struct dfs_keeper *k, const char *id, struct dfs_kept *ret_kept)
{
	const struct dfs_keeper_entry *e;
	bool copied;

	pthread_mutex_lock(&k->lock);
	e = dfs_keeper_entry_of(k, id);
	copied = e && dfs_kept_copy(&e->kept, ret_kept) == 0;
	pthread_mutex_unlock(&k->lock);
	return copied;
}

void dfs_keeper_look(struct dfs_keeper *k)
{
	struct search s = { .k = k };
	struct astray *ids;
	size_t n = all_ids(k, &ids);

	for (size_t i = 0; i < n && !ended(k); i++)
		if (look_one(k, ids[i].id, false) && copy_one(k, ids[i].id, &ids[i].kept))
			ids[s.n++] = ids[i];
	s.astray = ids;
	if (s.n && dfs_clock_ms(CLOCK_MONOTONIC) >= k->search_ms)
		search(&s);
	for (size_t i = 0; i < s.n; i++)
		dfs_kept_release(&ids[i].kept);
	free(ids);
}

void dfs_keeper_adopt(struct dfs_keeper *k)
{
	struct astray *ids;
	size_t n = all_ids(k, &ids);

	for (size_t i = 0; i < n; i++)
		look_one(k, ids[i].id, true);
	free(ids);
}

static void *keeper_main(void *arg)
{
	struct dfs_keeper *k = arg;

	pthread_mutex_lock(&k->lock);
	while (!k->ended) {
		struct timespec end = dfs_clock_after(CLOCK_MONOTONIC, DFS_KEEPER_LOOK_MS);

		pthread_mutex_unlock(&k->lock);
		dfs_keeper_look(k);
		pthread_mutex_lock(&k->lock);
		while (!k->ended && !k->hurry) {
			if (!k->n)
				pthread_cond_wait(&k->changed, &k->lock);
			else if (pthread_cond_clockwait(&k->changed, &k->lock, CLOCK_MONOTONIC, &end) != 0)
				break;
		}
	}
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

int dfs_keeper_start(struct dfs_keeper *k, struct dfs_err *err)
{
	if (dfs_thread_start(&k->thread, keeper_main, k) < 0)
		return dfs_fail(err, EAGAIN, "cannot start a thread");
	k->started = true;
	return 0;
}
