/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_kept: originals of files that gave up bits. See kept.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/check_internal.h"
#include "store/expand.h"
#include "store/internal.h"
#include "store/kept.h"
#include "store/walk.h"

/* --- what a crash left */

int dfs_check_kept_left(const struct dfs_store *store, struct dfs_paths *names)
{
	DFS_AUTO(kept_list) struct dfs_kept_list list = { 0 };
	int ret = dfs_kept_list(store, &list);

	for (size_t i = 0; i < list.n && ret == 0; i++) {
		enum dfs_kept_state state = dfs_kept_look(store, &list.kept[i], NULL);
		char path[DFS_KEPT_PATH_SIZE];

		if (state == DFS_KEPT_GONE || state == DFS_KEPT_NOT_YET)
			ret = dfs_paths_add(names, dfs_kept_record_path(list.kept[i].id, path));
	}
	return ret;
}

/* --- one of them */

struct checking {
	struct dfs_check *check;
	const char *id;
};

static int let_go(void *arg, struct dfs_err *err)
{
	const struct checking *c = arg;

	return dfs_kept_let_go(c->check->store, c->id, err);
}

static void stray(struct dfs_check *check, const struct dfs_kept *kept, const char *why)
{
	struct checking c = { check, kept->id };
	char path[DFS_KEPT_PATH_SIZE], what[160];

	snprintf(what, sizeof(what), "the original of %.80s, %s", kept->path, why);
	dfs_check_found(check, DFS_CHECK_KEPT_STRAY, dfs_kept_path(kept->id, path), what, let_go, &c);
}

/* Return: 0; -ECANCELED. */
static int check_content(struct dfs_check *check, const struct dfs_kept *kept)
{
	const struct dfs_hash none = { { 0 } };
	DFS_AUTO(fd) int fd = -1;
	char path[DFS_KEPT_PATH_SIZE], what[400];
	struct dfs_err err;
	int ret = dfs_store_openat(check->store, dfs_kept_path(kept->id, path), O_RDONLY | O_NOATIME, &fd);

	if (ret < 0)
		dfs_fail(&err, -ret, "%s", strerror(-ret));
	else
		ret = dfs_kept_check(fd, kept->bytes, check->full ? kept->hash : none, check->progress, check->arg, &err);
	if (ret == 0 || ret == -ECANCELED)
		return ret;
	snprintf(what, sizeof(what), "the original of %.80s: %.280s", kept->path, err.text);
	dfs_check_found(check, ret == -EUCLEAN ? DFS_CHECK_KEPT_ALTERED : DFS_CHECK_UNREADABLE, path, what, NULL, NULL);
	return 0;
}

/* Behind the mount its file may have got another name. */
struct search {
	const struct dfs_kept_list *list;
	bool *found;	/* of each */
	bool incomplete;
};

static int visit(void *arg, const struct dfs_walk_file *file)
{
	struct search *s = arg;
	struct dfs_file_id id;

	if (dfs_file_id_of(file->fd, &id) < 0)
		s->incomplete = true;
	for (size_t i = 0; i < s->list->n && !s->incomplete; i++)
		s->found[i] |= dfs_kept_is_for(&s->list->kept[i], &id);
	return 0;
}

static void fail(void *arg, const char *path, int ret, const char *why)
{
	struct search *s = arg;

	(void)path, (void)ret, (void)why;
	s->incomplete = true;
}

/* @astray: of each */
static int search(struct dfs_check *check, const struct dfs_kept_list *list, const bool *astray, struct dfs_err *err)
{
	static const struct dfs_walk_ops ops = { visit, fail };
	DFS_AUTO(mem) bool *found = calloc(list->n, sizeof(*found));
	struct search s = { .list = list, .found = found };
	int ret = found ? dfs_walk(check->store->fd, "", &ops, &s, err) : dfs_fail(err, ENOMEM, "out of memory");

	for (size_t i = 0; i < list->n && ret == 0 && !s.incomplete; i++)
		if (astray[i] && !found[i])
			stray(check, &list->kept[i], "which is not there");
	return ret;
}

static int check_all(struct dfs_check *check, const struct dfs_kept_list *list, struct dfs_err *err)
{
	DFS_AUTO(mem) bool *astray = calloc(list->n ? list->n : 1, sizeof(*astray));
	bool any = false;
	int ret = 0;

	if (!astray)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < list->n && ret == 0; i++) {
		enum dfs_kept_state state = dfs_kept_look(check->store, &list->kept[i], NULL);

		astray[i] = state == DFS_KEPT_ASTRAY;
		any |= astray[i];
		if (state == DFS_KEPT_ADRIFT)
			stray(check, &list->kept[i], "which is not there since the store was copied");
		if (state != DFS_KEPT_GONE)
			ret = check_content(check, &list->kept[i]);
	}
	if (ret < 0)
		return dfs_fail(err, -ret, "interrupted");
	return any ? search(check, list, astray, err) : 0;
}

/* --- names */

static bool has_record(const struct dfs_kept_list *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->kept[i].id, id) == 0)
			return true;
	return false;
}

static void check_name(struct dfs_check *check, const struct dfs_kept_list *list, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char id[DFS_KEPT_ID], record[DFS_KEPT_PATH_SIZE];
	struct checking c = { check, id };
	struct stat st;

	snprintf(id, sizeof(id), "%.16s", name);
	if (!dfs_kept_is_id(id) || (name[DFS_KEPT_ID - 1] && strcmp(name + DFS_KEPT_ID - 1, DFS_KEPT_RECORD) != 0)) {
		dfs_check_found(check, DFS_CHECK_STATE, path, "neither an original nor its record", NULL, NULL);
		return;
	}
	if (has_record(list, id))
		return;
	if (name[DFS_KEPT_ID - 1])
		dfs_check_found(check, DFS_CHECK_KEPT_RECORD, path, "the record of an original makes no sense", NULL, NULL);
	else if (fstatat(check->store->fd, dfs_kept_record_path(id, record), &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		dfs_check_found(check, DFS_CHECK_KEPT_STRAY, path, "an original without a record", let_go, &c);
}

int dfs_check_kept(struct dfs_check *check, struct dfs_err *err)
{
	DFS_AUTO(kept_list) struct dfs_kept_list list = { 0 };
	DFS_AUTO(paths) struct dfs_paths names = { 0 };
	int ret;

	/* what is in work beside a daemon, and what it lets go of, is its business */
	if (check->live)
		return 0;
	ret = dfs_check_names(check->store, DFS_KEPT_DIR, &names);
	if (ret == 0)
		ret = dfs_kept_list(check->store, &list);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s/" DFS_KEPT_DIR ": %s", check->store->path, strerror(-ret));
	for (size_t i = 0; i < names.n; i++)
		check_name(check, &list, names.paths[i]);
	return check_all(check, &list, err);
}
