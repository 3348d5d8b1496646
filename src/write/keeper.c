/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keeper: see keeper.h. Here: the table, and who asks. */
#include "write/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/text.h"
#include "write/keeper_internal.h"

/* --- the table; under the lock */

struct dfs_keeper_entry *dfs_keeper_entry_of(const struct dfs_keeper *k, const char *id)
{
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->entries[i]->kept.id, id) == 0)
			return k->entries[i];
	return NULL;
}

struct dfs_keeper_entry *dfs_keeper_hold(struct dfs_keeper *k, const char *id)
{
	for (;;) {
		struct dfs_keeper_entry *e = dfs_keeper_entry_of(k, id);

		if (!e || !e->busy) {
			if (e)
				e->busy = true;
			return e;
		}
		pthread_cond_wait(&k->changed, &k->lock);
	}
}

void dfs_keeper_unhold(struct dfs_keeper *k, struct dfs_keeper_entry *e)
{
	e->busy = false;
	pthread_cond_broadcast(&k->changed);
}

void dfs_keeper_drop(struct dfs_keeper *k, struct dfs_keeper_entry *e)
{
	size_t i = 0;

	while (k->entries[i] != e)
		i++;
	k->entries[i] = k->entries[--k->n];
	atomic_store(&k->n_now, k->n);
	dfs_kept_release(&e->kept);
	free(e);
	pthread_cond_broadcast(&k->changed);
}

int dfs_keeper_add(struct dfs_keeper *k, const struct dfs_kept *kept, bool making)
{
	struct dfs_keeper_entry **grown = reallocarray(k->entries, k->n + 1, sizeof(struct dfs_keeper_entry *));
	struct dfs_keeper_entry *e = calloc(1, sizeof(*e));

	if (grown)
		k->entries = grown;
	if (!grown || !e) {
		free(e);
		return -ENOMEM;
	}
	e->kept = *kept;
	e->making = e->busy = making;
	k->entries[k->n++] = e;
	atomic_store(&k->n_now, k->n);
	pthread_cond_broadcast(&k->changed);
	return 0;
}

static struct dfs_keeper_entry *find(struct dfs_keeper *k, const struct dfs_file_id *file)
{
	for (size_t i = 0; i < k->n; i++)
		if (!k->entries[i]->making && dfs_kept_is_for(&k->entries[i]->kept, file))
			return k->entries[i];
	return NULL;
}

struct dfs_keeper_entry *dfs_keeper_hold_for(struct dfs_keeper *k, const struct dfs_file_id *file)
{
	struct dfs_keeper_entry *e;
	char id[DFS_KEPT_ID];

	do {
		e = find(k, file);
		if (!e)
			return NULL;
		memcpy(id, e->kept.id, sizeof(id));
		e = dfs_keeper_hold(k, id);
	} while (!e);
	return e;
}

/* --- beginning and end */

static int load(struct dfs_keeper *k, struct dfs_err *err)
{
	DFS_AUTO(kept_list) struct dfs_kept_list list = { 0 };
	int ret = dfs_kept_list(k->config.store, &list);

	if (ret < 0)
		return dfs_fail(err, -ret, "%s/" DFS_KEPT_DIR ": %s", dfs_store_path(k->config.store), strerror(-ret));
	if (list.n_odd && k->config.log)
		dfs_log_line(k->config.log, DFS_LOG_WARNING, "%s/" DFS_KEPT_DIR ": %zu records make no sense; fsck.deltafs names them",
			     dfs_store_path(k->config.store), list.n_odd);
	for (size_t i = 0; i < list.n && ret == 0; i++) {
		ret = dfs_keeper_add(k, &list.kept[i], false);
		if (ret == 0)
			list.kept[i].path = NULL;
	}
	return ret < 0 ? dfs_fail(err, ENOMEM, "out of memory") : 0;
}

int dfs_keeper_new(const struct dfs_keeper_config *config, struct dfs_keeper **ret_keeper, struct dfs_err *err)
{
	DFS_AUTO(keeper) struct dfs_keeper *k = calloc(1, sizeof(*k));
	struct stat st;
	int ret;

	if (!k)
		return dfs_fail(err, ENOMEM, "out of memory");
	k->config = *config;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->changed, NULL);
	if (fstatat(dfs_store_fd(config->store), DFS_KEPT_DIR, &st, AT_SYMLINK_NOFOLLOW) == 0)
		k->dev = st.st_dev;
	ret = load(k, err);
	if (ret < 0)
		return ret;
	dfs_keeper_adopt(k);
	*ret_keeper = dfs_steal(&k);
	return 0;
}

void dfs_keeper_free(struct dfs_keeper *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->ended = true;
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
	if (k->started)
		pthread_join(k->thread, NULL);
	dfs_keeper_look_last(k);
	for (size_t i = 0; i < k->n; i++) {
		dfs_kept_release(&k->entries[i]->kept);
		free(k->entries[i]);
	}
	free(k->entries);
	pthread_cond_destroy(&k->changed);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

bool dfs_keeper_ended(struct dfs_keeper *k)
{
	bool so;

	pthread_mutex_lock(&k->lock);
	so = k->ended;
	pthread_mutex_unlock(&k->lock);
	return so;
}

/* --- what becomes of the files */

static bool has_number(const struct dfs_kept *kept, ino_t ino)
{
	for (size_t i = 0; i < DFS_KEPT_FILES; i++)
		if (kept->files[i].ino == ino)
			return true;
	return false;
}

static void hurry(struct dfs_keeper *k)
{
	k->hurry = true;
	pthread_cond_broadcast(&k->changed);
}

void dfs_keeper_removed(struct dfs_keeper *k, const struct stat *st)
{
	if (!k || !atomic_load(&k->n_now) || st->st_dev != k->dev)
		return;
	pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < k->n; i++) {
		if (!has_number(&k->entries[i]->kept, st->st_ino))
			continue;
		k->entries[i]->removed++;
		hurry(k);
	}
	pthread_mutex_unlock(&k->lock);
}

void dfs_keeper_emptied(struct dfs_keeper *k, int fd)
{
	struct dfs_keeper_entry *e;
	struct dfs_file_id file;

	if (!k || !atomic_load(&k->n_now) || dfs_file_id_of(fd, &file) < 0)
		return;
	pthread_mutex_lock(&k->lock);
	e = find(k, &file);
	if (e) {
		e->emptied = true;
		hurry(k);
	}
	pthread_mutex_unlock(&k->lock);
}

/* Return: the path of what lay at or below @from, now at @to; NULL: it lay elsewhere, or out of memory. */
static char *moved_path(const char *path, const char *from, const char *to)
{
	size_t len = strlen(from);
	char *moved;

	if (strncmp(path, from, len) != 0 || (path[len] && path[len] != '/'))
		return NULL;
	return asprintf(&moved, "%s%s", to, path + len) < 0 ? NULL : moved;
}

void dfs_keeper_moved(struct dfs_keeper *k, const char *from, const char *to, bool exchanged)
{
	if (!k || !atomic_load(&k->n_now))
		return;
	pthread_mutex_lock(&k->lock);
	k->moves++;
	for (size_t i = 0; i < k->n; i++) {
		struct dfs_kept *kept = &k->entries[i]->kept;
		char *path = moved_path(kept->path, from, to);

		if (!path && exchanged)
			path = moved_path(kept->path, to, from);
		if (!path)
			continue;
		free(kept->path);
		kept->path = path;
		k->entries[i]->moved = true;
		hurry(k);
	}
	pthread_mutex_unlock(&k->lock);
}

/* --- asking */

unsigned dfs_keeper_links(struct dfs_keeper *k, const struct stat *st)
{
	unsigned links = 0;

	if (!k || !atomic_load_explicit(&k->n_now, memory_order_relaxed) || st->st_dev != k->dev || !S_ISREG(st->st_mode))
		return 0;
	pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < k->n && !links; i++) {
		const struct dfs_keeper_entry *e = k->entries[i];

		/* As long as it has its name too, the link may be yet to come. */
		links = e->kept.original.ino == st->st_ino && !e->leaving && st->st_nlink > (e->making ? 1 : 0);
	}
	pthread_mutex_unlock(&k->lock);
	return links;
}

static void show(const struct dfs_kept *kept, struct dfs_keeper_view *view)
{
	*view = (struct dfs_keeper_view){
		.at_s = kept->at_s, .until_s = kept->until_s, .bytes = kept->bytes, .hash = kept->hash,
		.mode = kept->mode,
	};
	memcpy(view->id, kept->id, sizeof(view->id));
}

bool dfs_keeper_ask(struct dfs_keeper *k, int fd, struct dfs_keeper_view *ret_view)
{
	struct dfs_keeper_entry *e;
	struct dfs_file_id file;

	if (!k || !atomic_load(&k->n_now) || dfs_file_id_of(fd, &file) < 0)
		return false;
	pthread_mutex_lock(&k->lock);
	e = find(k, &file);
	if (e && (e->leaving || e->emptied))
		e = NULL;
	if (e)
		show(&e->kept, ret_view);
	pthread_mutex_unlock(&k->lock);
	return e != NULL;
}

int dfs_keeper_open(struct dfs_keeper *k, int fd)
{
	struct dfs_keeper_view view;
	char path[DFS_KEPT_PATH_SIZE];
	DFS_AUTO(fd) int original = -1;
	struct stat st;
	int ret;

	if (!dfs_keeper_ask(k, fd, &view) || !dfs_kept_made(fd, view.hash))
		return -ENOENT;
	ret = dfs_store_openat(k->config.store, dfs_kept_path(view.id, path), O_RDONLY | O_NOATIME, &original);
	if (ret < 0)
		return ret;
	if (fstat(original, &st) < 0)
		return -errno;
	return (uint64_t)st.st_size == view.bytes ? dfs_steal_fd(&original) : -ENOENT;
}

void dfs_keeper_stats(struct dfs_keeper *k, struct dfs_keeper_stats *ret_stats)
{
	struct dfs_keeper_stats stats = { 0 };

	pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < k->n; i++) {
		stats.n++;
		stats.n_manual += k->entries[i]->kept.until_s == DFS_KEPT_MANUAL;
		stats.bytes += k->entries[i]->kept.bytes;
	}
	pthread_mutex_unlock(&k->lock);
	*ret_stats = stats;
}

/* --- ending it */

int dfs_keeper_take(struct dfs_keeper *k, int fd, struct dfs_keeper_view *ret_view, struct dfs_err *err)
{
	struct dfs_keeper_entry *e;
	struct dfs_file_id file;
	int ret = dfs_file_id_of(fd, &file);

	if (ret < 0)
		return dfs_fail(err, -ret, "stat: %s", strerror(-ret));
	pthread_mutex_lock(&k->lock);
	e = dfs_keeper_hold_for(k, &file);
	if (e && e->emptied) {
		dfs_keeper_unhold(k, e);
		e = NULL;
	}
	if (e) {
		e->leaving = true;
		show(&e->kept, ret_view);
	}
	pthread_mutex_unlock(&k->lock);
	return e ? 0 : dfs_fail(err, ENOENT, "nothing is kept of it");
}

void dfs_keeper_give(struct dfs_keeper *k, const char *id, bool back)
{
	struct dfs_keeper_entry *e;

	if (back)
		dfs_kept_forget(k->config.store, id, NULL);	/* else the next who holds the lock does */
	pthread_mutex_lock(&k->lock);
	e = dfs_keeper_entry_of(k, id);
	if (e) {
		e->leaving = false;
		if (back)
			dfs_keeper_drop(k, e);
		else
			dfs_keeper_unhold(k, e);
	}
	pthread_mutex_unlock(&k->lock);
}

int dfs_keeper_accept(struct dfs_keeper *k, int fd, struct dfs_keeper_view *ret_view, struct dfs_err *err)
{
	int ret = dfs_keeper_take(k, fd, ret_view, err);

	if (ret < 0)
		return ret;
	ret = dfs_kept_let_go(k->config.store, ret_view->id, err);
	dfs_keeper_give(k, ret_view->id, ret == 0);
	return ret;
}
