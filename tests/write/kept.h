/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kept.h: a store with a keeper, and files in it that gave up bits.
 */
#ifndef DFS_TESTS_KEPT_H
#define DFS_TESTS_KEPT_H

#include "../store/given.h"

#include "write/keeper.h"

struct given {
	struct dfs_store *store;
	struct dfs_keeper *keeper;
	char id[DFS_KEPT_ID];
	unsigned search_ms;
};

static inline void open_keeper(struct given *g)
{
	const struct dfs_keeper_config config = { .store = g->store, .search_ms = g->search_ms };
	struct dfs_err err;

	CHECK_OK(dfs_keeper_new(&config, &g->keeper, &err), err);
}

static inline void begin(struct given *g)
{
	struct dfs_err err;

	*g = (struct given){ 0 };
	CHECK_OK(dfs_store_open(".", false, &g->store, &err), err);
	CHECK_OK(dfs_store_lock(g->store, "", &err), err);
	open_keeper(g);
}

static inline void end(struct given *g)
{
	dfs_keeper_free(g->keeper);
	dfs_store_close(g->store);
}

static inline void begin_again(struct given *g)
{
	dfs_keeper_free(g->keeper);
	open_keeper(g);
}

/* The file at @rel gives up bits: "plain" becomes "lossy". */
static inline void keep_until(struct given *g, const char *rel, int64_t until_s)
{
	DFS_AUTO(fd) int fd = -1;
	DFS_AUTO(fd) int new_fd = -1;
	struct dfs_keep keep = { .rel = rel, .until_s = until_s };
	struct dfs_err err;
	struct stat st;

	put_text(rel, "plain");
	put_text("tmp", "lossy");
	keep.fd = fd = open(rel, O_RDONLY);
	keep.new_fd = new_fd = open("tmp", O_RDONLY);
	CHECK(fstat(fd, &st) == 0);
	CHECK_OK(dfs_keeper_keep(g->keeper, &keep, &st, g->id, &err), err);
	CHECK(st.st_nlink == 2 && dfs_keeper_links(g->keeper, &st) == 1);
	CHECK(rename("tmp", rel) == 0);
	dfs_keeper_kept(g->keeper, &keep, g->id, true);
}

static inline void keep(struct given *g, const char *rel)
{
	keep_until(g, rel, DFS_KEPT_MANUAL);
}

/* The file @next is made, and is about to take the place of @rel. */
static inline void follow(struct given *g, const char *rel, const char *next)
{
	DFS_AUTO(fd) int old = open(rel, O_RDONLY);
	DFS_AUTO(fd) int new = -1;
	struct dfs_err err;

	put_text(next, "lossy");
	new = open(next, O_RDONLY);
	CHECK_OK(dfs_keeper_follow(g->keeper, old, new, &err), err);
}

static inline uint64_t n_kept(struct given *g)
{
	struct dfs_keeper_stats stats;

	dfs_keeper_stats(g->keeper, &stats);
	return stats.n;
}

static inline bool is_kept(struct given *g, const char *rel)
{
	DFS_AUTO(fd) int fd = open(rel, O_RDONLY);
	struct dfs_keeper_view view;

	CHECK(fd >= 0);
	return dfs_keeper_ask(g->keeper, fd, &view);
}

static inline bool original_is_there(const struct given *g)
{
	char path[DFS_KEPT_PATH_SIZE];

	return access(dfs_kept_path(g->id, path), F_OK) == 0;
}

static inline struct stat stat_of(const char *path)
{
	struct stat st;

	CHECK(stat(path, &st) == 0);
	return st;
}

#endif
