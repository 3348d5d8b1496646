/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pin_detach: a pin that is another name of a user's file becomes a file of
 * its own, because the user is about to change his.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/pins.h"
#include "store/internal.h"

static const char pins[] = DFS_STORE_DIR "/pins";

/* The name of the pin that is the file of @st. Return: 1; 0: there is none; -errno. */
static int find(struct dfs_store *store, const struct stat *st, char ret_name[NAME_MAX + 1])
{
	DFS_AUTO(dir) DIR *dir = NULL;
	struct stat pin;
	const char *name;
	int ret = dfs_dir_open(store, pins, &dir);

	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	while ((ret = dfs_dir_next(dir, &name)) > 0) {
		if (fstatat(dirfd(dir), name, &pin, AT_SYMLINK_NOFOLLOW) < 0 || pin.st_ino != st->st_ino || pin.st_dev != st->st_dev)
			continue;
		snprintf(ret_name, NAME_MAX + 1, "%s", name);
		return 1;
	}
	return ret;
}

int dfs_pin_detach(struct dfs_store *store, int fd, struct dfs_err *err)
{
	char name[NAME_MAX + 1];
	struct stat st;
	int ret = fstat(fd, &st) < 0 ? -errno : find(store, &st, name);

	if (ret < 0)
		return dfs_fail(err, -ret, "%s/%s: %s", dfs_store_path(store), pins, strerror(-ret));
	while (ret == 1) {
		const struct dfs_pin_add add = { .fd = fd, .as_is = true };
		enum dfs_pin_how how;
		char path[sizeof(pins) + 1 + NAME_MAX];

		snprintf(path, sizeof(path), "%s/%s", pins, name);
		ret = dfs_pin_copy_over(store, &add, path, &how, err);
		if (ret == 0)
			ret = dfs_sync_dir(store, pins);
		if (ret == 0)
			ret = find(store, &st, name);
		if (ret < 0)
			return dfs_err_at(err, ret, "the base's bytes cannot be kept for those who depend on them");
	}
	return 0;
}
