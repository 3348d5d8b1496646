/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * given_pending: a set of paths as the records of .deltafs/pending change it,
 * the simplest way there is (a list, and each operation looks at all of it),
 * and what the tests do with the file.
 */
#ifndef DFS_TESTS_STORE_GIVEN_PENDING_H
#define DFS_TESTS_STORE_GIVEN_PENDING_H

#include "given.h"
#include "store/pending.h"

#define SET_MAX 4096

struct set {
	char *paths[SET_MAX];
	size_t n;
	unsigned records;	/* applied */
};

static inline bool set_is_at(const char *path, const char *top)
{
	size_t n = strlen(top);

	return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static inline size_t set_find(const struct set *set, const char *path)
{
	size_t i = 0;

	while (i < set->n && strcmp(set->paths[i], path) != 0)
		i++;
	return i;
}

static inline bool set_has(const struct set *set, const char *path)
{
	return set_find(set, path) < set->n;
}

static inline void set_take_out(struct set *set, size_t i)
{
	free(set->paths[i]);
	set->paths[i] = set->paths[--set->n];
}

static inline void set_drop(struct set *set, const char *top)
{
	for (size_t i = set->n; i-- > 0;)
		if (set_is_at(set->paths[i], top))
			set_take_out(set, i);
}

/* What is at @from or below goes to @to; what @mark says is left alone: it has moved just now. */
static inline void set_rename(struct set *set, const char *from, const char *to, bool *moved)
{
	for (size_t i = 0; i < set->n; i++) {
		char *path;

		if (moved[i] || !set_is_at(set->paths[i], from))
			continue;
		CHECK(asprintf(&path, "%s%s", to, set->paths[i] + strlen(from)) > 0);
		free(set->paths[i]);
		set->paths[i] = path;
		moved[i] = true;
	}
}

/* dfs_pending_fn, with a struct set */
static inline void set_apply(void *arg, enum dfs_pending_kind kind, const char *path, const char *to)
{
	struct set *set = arg;
	bool moved[SET_MAX] = { false };

	set->records++;
	if (kind == DFS_PENDING_ADD && !set_has(set, path)) {
		CHECK(set->n < SET_MAX);
		set->paths[set->n++] = strdup(path);
	}
	if (kind == DFS_PENDING_DONE && set_has(set, path))
		set_take_out(set, set_find(set, path));
	if (kind == DFS_PENDING_DROP)
		set_drop(set, path);
	if (kind == DFS_PENDING_MOVE)
		set_drop(set, to);
	if (kind == DFS_PENDING_MOVE || kind == DFS_PENDING_EXCHANGE)
		set_rename(set, path, to, moved);
	if (kind == DFS_PENDING_EXCHANGE)
		set_rename(set, to, path, moved);
}

static inline void set_clear(struct set *set)
{
	while (set->n)
		set_take_out(set, 0);
	set->records = 0;
}

static inline bool set_same(const struct set *a, const struct set *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!set_has(b, a->paths[i]))
			return false;
	return a->n == b->n;
}

/* --- the file */

#define PENDING ".deltafs/pending"

static inline struct dfs_journal *open_pending(struct dfs_store *store, struct dfs_log *log, struct set *ret_set)
{
	struct dfs_journal *pending = NULL;
	struct dfs_err err = { "" };

	CHECK_OK(dfs_pending_open(store, log, set_apply, ret_set, &pending, &err), err);
	return pending;
}

/* What a start would find. */
static inline void read_set(struct set *ret_set)
{
	DFS_AUTO(store) struct dfs_store *store = open_store(".");

	dfs_journal_close(open_pending(store, NULL, ret_set));
}

static inline void say(struct dfs_journal *pending, struct set *set, enum dfs_pending_kind kind, const char *path, const char *to)
{
	dfs_pending_note(pending, kind, path, to);
	dfs_journal_flush(pending);
	if (set)
		set_apply(set, kind, path, to ? to : "");
}

static inline int write_anew(struct dfs_journal *pending, const struct set *set)
{
	dfs_journal_snapshot(pending);
	for (size_t i = 0; i < set->n; i++)
		dfs_pending_snapshot_add(pending, set->paths[i]);
	return dfs_journal_compact(pending);
}

static inline size_t slurp(uint8_t *bytes, size_t room)
{
	DFS_AUTO(fd) int fd = open(PENDING, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, bytes, room);

	CHECK(n >= 0 && (size_t)n < room);
	return (size_t)n;
}

static inline unsigned count_lines(const char *path)
{
	DFS_AUTO(file) FILE *file = fopen(path, "r");
	unsigned lines = 0;

	for (int c; file && (c = fgetc(file)) != EOF;)
		lines += c == '\n';
	return lines;
}

static inline void check_disk(const struct set *want)
{
	struct set got = { .n = 0 };

	read_set(&got);
	CHECK(set_same(&got, want));
	set_clear(&got);
}

/* Lines that are none, in a file of so many records. */
static inline unsigned long count_damaged(size_t n_records)
{
	struct dfs_journal_reading reading;
	struct set set = { .n = 0 };
	DFS_AUTO(fd) int fd = open(PENDING, O_RDONLY);

	CHECK_RET(0, dfs_pending_read(fd, set_apply, &set, &reading));
	CHECK(reading.size == size_of(PENDING) && set.records == n_records);
	set_clear(&set);
	return reading.damaged;
}

#endif
