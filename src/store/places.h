/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * places: where a base file may lie; shared within this folder.
 *
 * In this order: what the user named; the store's pin; the paths at which a
 * model of the registry was found (all there is of one by reference); the path
 * in the store that the container remembers (a hint, so it is opened beneath
 * the store and through no symlink).
 */
#ifndef DFS_STORE_PLACES_H
#define DFS_STORE_PLACES_H

#include <stdbool.h>
#include <sys/stat.h>

#include "format/container.h"
#include "store/expand.h"
#include "store/store.h"

enum dfs_place_kind { DFS_PLACE_NAMED, DFS_PLACE_PIN, DFS_PLACE_REFERENCE, DFS_PLACE_HINT };

struct dfs_place {
	enum dfs_place_kind kind;
	int dir;		/* where @path starts: AT_FDCWD or the store; borrowed */
	const char *path;
};

/* Called for each place. Return: false to stop. */
typedef bool dfs_place_fn(void *arg, const struct dfs_place *place);

/**
 * dfs_places_each() - where @want may lie, likeliest first
 * @store: may be NULL
 * @named: as the user wrote them, expanded anew each time
 */
void dfs_places_each(const struct dfs_store *store, const struct dfs_paths *named,
		     const struct dfs_base_file *want, dfs_place_fn *fn, void *arg);

/**
 * dfs_place_open() - open the regular file at a place
 * @flags: O_RDONLY, or O_PATH for a look at its attributes
 *
 * Never hangs: a FIFO is opened without waiting and then refused.
 * Return: 0; -EINVAL: not a regular file; errors of open.
 */
int dfs_place_open(const struct dfs_place *place, int flags, int *ret_fd, struct stat *ret_st);

/* dfs_place_of() - of a path as the registry keeps it: relative to the store, or absolute. Borrows @path. */
struct dfs_place dfs_place_of(const struct dfs_store *store, const char *path);

/* dfs_place_describe() - for a sentence: "the pin", "PATH" */
const char *dfs_place_describe(const struct dfs_place *place);

#endif
