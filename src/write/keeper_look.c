/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keeper_look: what is to go goes, and the rest is known where it is. See keeper.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"
#include "util/thread.h"
#include "write/keeper_internal.h"

static void say(const struct dfs_keeper *k, enum dfs_log_level level, const struct dfs_kept *kept, const char *what)
{
	if (k->config.log)
		dfs_log_line(k->config.log, level, "%s: its original, %llu bytes, %s", kept->path, (unsigned long long)kept->bytes, what);
}

/* --- one, held */

struct looked {
	struct dfs_keeper *k;
	struct dfs_keeper_entry *e;	/* held */
	struct dfs_kept kept;		/* as it was when the look began */
	unsigned removed;		/* the same */
	int64_t followed_ms;
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

/* What set out so long ago to take a file's place, and has not, never will. */
#define UNDER_WAY_MS 3600000

static bool is_under_way(const struct looked *l, const struct dfs_file_id *file)
{
	return l->followed_ms && dfs_clock_ms(CLOCK_MONOTONIC) - l->followed_ms < UNDER_WAY_MS &&
	       !dfs_file_id_same(file, &l->kept.files[0]);
}

/* The number of what was replaced, or did not come to its place, may be another file's by now. */
static void settle(struct looked *l, const struct dfs_file_id *file)
{
	bool settled = l->kept.files[1].ino && !is_under_way(l, file);

	if (settled) {
		l->kept.files[0] = *file;
		l->kept.files[1] = (struct dfs_file_id){ 0 };
	}
	if (settled || l->moved)
		write_record(l);
}

/* Renamed while it was looked for. */
static bool moved_meanwhile(const struct looked *l)
{
	bool moved;

	pthread_mutex_lock(&l->k->lock);
	moved = strcmp(l->e->kept.path, l->kept.path) != 0;
	pthread_mutex_unlock(&l->k->lock);
	return moved;
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
	else if (state == DFS_KEPT_ASTRAY && l->removed && !moved_meanwhile(l))
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
		l.followed_ms = l.e->followed_ms;
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

/* --- all */

/* Return: how many; @ret_ids: free() it */
static size_t all_ids(struct dfs_keeper *k, struct dfs_keeper_astray **ret_ids)
{
	struct dfs_keeper_astray *ids;
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
	struct dfs_keeper_astray *ids;
	size_t n = all_ids(k, &ids), n_astray = 0;

	for (size_t i = 0; i < n && !dfs_keeper_ended(k); i++)
		if (look_one(k, ids[i].id, false) && copy_one(k, ids[i].id, &ids[i].kept))
			ids[n_astray++] = ids[i];
	if (n_astray && dfs_clock_ms(CLOCK_MONOTONIC) >= k->search_ms)
		dfs_keeper_search(k, ids, n_astray);
	for (size_t i = 0; i < n_astray; i++)
		dfs_kept_release(&ids[i].kept);
	free(ids);
}

static bool was_told(struct dfs_keeper *k, const char *id)
{
	const struct dfs_keeper_entry *e;
	bool told;

	pthread_mutex_lock(&k->lock);
	e = dfs_keeper_entry_of(k, id);
	told = e && (e->emptied || e->removed || e->moved);
	pthread_mutex_unlock(&k->lock);
	return told;
}

void dfs_keeper_look_last(struct dfs_keeper *k)
{
	struct dfs_keeper_astray *ids;
	size_t n = all_ids(k, &ids);

	for (size_t i = 0; i < n; i++)
		if (was_told(k, ids[i].id))
			look_one(k, ids[i].id, false);
	free(ids);
}

void dfs_keeper_adopt(struct dfs_keeper *k)
{
	struct dfs_keeper_astray *ids;
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
