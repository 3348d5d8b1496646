/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon_find: the daemon of a path, in a mount or behind it. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts.h"
#include "store/store.h"

#define FOLLOW_TRIES 20		/* what a kernel believes it believes for a second */

DFS_AUTO_KIND(mount, struct ctl_mount, ctl_mount_release(p));

/* Is @shown a mount of @store, or in one? The lock's text is only text: another store must not be taken for it. */
static bool is_shown(const char *shown, const char *store)
{
	DFS_AUTO(mount) struct ctl_mount mount = { 0 };

	return ctl_mount_find(shown, &mount) == 1 && !strcmp(mount.store, store);
}

/*
 * By the lock of the store that @path lies in.
 * @ret_shown: the path in the mount; @ret_point: the mount; each NULL if there is none; free() them
 */
static int by_lock(const char *path, char **ret_shown, char **ret_point, char **ret_store, struct dfs_err *err)
{
	DFS_AUTO(store) struct dfs_store *store = NULL;
	DFS_AUTO(mem) char *full = realpath(path, NULL);
	DFS_AUTO(mem) char *rel = NULL;
	DFS_AUTO(mem) char *shown = NULL;
	struct dfs_holder holder;
	struct dfs_err none;

	if (!full)
		return dfs_fail_errno(err, "%s", path);
	if (dfs_store_find(full, &store, &rel, &none) < 0)
		return 0;
	*ret_store = strdup(dfs_store_path(store));
	if (dfs_store_holder(store, &holder) < 0 || holder.mountpoint[0] != '/')
		return 0;
	if (asprintf(&shown, "%s%s%s", holder.mountpoint, *rel ? "/" : "", rel) < 0) {
		shown = NULL;
		return dfs_fail(err, ENOMEM, "out of memory");
	}
	if (!is_shown(shown, dfs_store_path(store)))
		return 0;
	*ret_point = strdup(holder.mountpoint);
	*ret_shown = dfs_steal(&shown);
	return 0;
}

static int by_mount(const char *path, struct ctl_mount *ret_mount, struct dfs_err *err)
{
	int ret = ctl_mount_find(path, ret_mount);

	return ret < 0 ? dfs_fail(err, -ret, "%s: %s", path, strerror(-ret)) : ret;
}

int ctl_daemon_mountpoint(const char *path, char **ret_point, char **ret_store, struct dfs_err *err)
{
	DFS_AUTO(mount) struct ctl_mount mount = { 0 };
	DFS_AUTO(mem) char *shown = NULL;
	int ret = by_mount(path, &mount, err);

	*ret_point = *ret_store = NULL;
	if (ret <= 0)
		return ret < 0 ? ret : by_lock(path, &shown, ret_point, ret_store, err);
	*ret_point = dfs_steal(&mount.point);
	*ret_store = dfs_steal(&mount.store);
	return 0;
}

/* Does no name lead to it any more? The kernel may believe otherwise for a moment; the daemon knows. */
static bool is_nameless(int fd)
{
	struct statx st;

	return statx(fd, "", AT_EMPTY_PATH | AT_STATX_FORCE_SYNC, STATX_NLINK, &st) == 0 && st.stx_nlink == 0;
}

void ctl_daemon_follow(struct ctl_daemon *d)
{
	unsigned pause = 0;

	for (unsigned i = 0; i < FOLLOW_TRIES && is_nameless(d->fd) && !ctl_interrupted(); i++) {
		int fd = open(d->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

		if (fd < 0)
			return;
		close(d->fd);
		d->fd = fd;
		if (i)
			ctl_pause(&pause);
	}
}

static int open_shown(const char *shown, struct ctl_daemon *d, struct dfs_err *err)
{
	struct stat st;
	int ret;

	/* What is neither has no daemon, and a FIFO is not to be opened. */
	if (stat(shown, &st) < 0)
		return dfs_fail_errno(err, "%s", shown);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	d->fd = open(shown, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (d->fd < 0)
		return dfs_fail_errno(err, "%s", shown);
	d->path = strdup(shown);
	if (!d->path)
		return dfs_fail(err, ENOMEM, "out of memory");
	ctl_daemon_follow(d);
	ret = ctl_daemon_state(d, err);
	return ret == -ENOTTY ? 0 : ret < 0 ? ret : 1;
}

int ctl_daemon_open(const char *path, struct ctl_daemon *ret_daemon, struct dfs_err *err)
{
	DFS_AUTO(mount) struct ctl_mount mount = { 0 };
	DFS_AUTO(mem) char *shown = NULL;
	DFS_AUTO(mem) char *point = NULL;
	DFS_AUTO(mem) char *store = NULL;
	int ret = by_mount(path, &mount, err);

	*ret_daemon = (struct ctl_daemon){ .fd = -1 };
	if (ret > 0)
		return open_shown(path, ret_daemon, err);
	if (ret == 0)
		ret = by_lock(path, &shown, &point, &store, err);
	return ret == 0 && shown ? open_shown(shown, ret_daemon, err) : ret;
}

/* A read-only mount may stand beside one that writes. */
int ctl_daemon_writer(const char *path, struct ctl_daemon *ret_daemon, struct dfs_err *err)
{
	int ret = ctl_daemon_open(path, ret_daemon, err);
	DFS_AUTO(mem) char *behind = NULL;
	struct dfs_err none;

	if (ret <= 0 || ret_daemon->state.writable)
		return ret;
	behind = ctl_mount_behind(path, &none);
	ctl_daemon_release(ret_daemon);
	if (!behind || access(behind, F_OK) < 0)
		return 0;
	ret = ctl_daemon_open(behind, ret_daemon, err);
	return ret > 0 ? ret_daemon->state.writable : ret;
}
