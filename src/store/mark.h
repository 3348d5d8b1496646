/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mark: an attribute without a value that says one thing about a file.
 *
 * Its name is trusted.* where this process may set those, and user.* where it
 * may not; either counts.
 */
#ifndef DFS_STORE_MARK_H
#define DFS_STORE_MARK_H

#include <stdbool.h>

struct dfs_mark {
	const char *trusted, *user;
};

/*
 * The file was a container, and became plain: it is coded exactly from then
 * on, whatever a policy says, and then tells of it still. Bits that were given
 * up once are not given up again and again. An empty file loses it: what will be in it is new.
 */
extern const struct dfs_mark dfs_mark_exact;

bool dfs_mark_has(const struct dfs_mark *mark, int fd);
/* dfs_mark_set() - not synced. Return: 0; -ENOTSUP: no attributes there; -errno. */
int dfs_mark_set(const struct dfs_mark *mark, int fd);
/* dfs_mark_clear() - Return: 0, also if it was not there; -errno. */
int dfs_mark_clear(const struct dfs_mark *mark, int fd);
/* dfs_mark_is() - is @name its name */
bool dfs_mark_is(const struct dfs_mark *mark, const char *name);

#endif
