/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store: opening a directory as a store, and making it one.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "store/internal.h"

static const char version_path[] = DFS_STORE_DIR "/version";
static const char version_text[] = "deltafs store 1\n";

/* What .deltafs/ consists of; 0700 each, so that nothing in it can be reached by others. */
static const char *const directories[] = {
	DFS_STORE_DIR, DFS_STORE_DIR "/pins", DFS_STORE_DIR "/bases",
	DFS_STORE_DIR "/hashes", DFS_STORE_DIR "/tmp", DFS_STORE_DIR "/kept",
};

/* Reading never depends on .deltafs: unreadable or absent, the store is simply of no version. */
static void version_read(struct dfs_store *store)
{
	struct dfs_buf text = { 0 };
	unsigned version;
	int end = 0;

	if (dfs_read_small(store->fd, version_path, 64, &text) < 0)
		return;
	if (sscanf((const char *)text.data, "deltafs store %9u\n%n", &version, &end) == 1 && end &&
	    (size_t)end == text.len && version > 0)
		store->version = version;
	else
		store->version_damaged = true;
	dfs_buf_release(&text);
}

int dfs_store_open(const char *path, bool any_version, struct dfs_store **ret_store,
		   struct dfs_err *err)
{
	DFS_AUTO(store) struct dfs_store *store = calloc(1, sizeof(*store));

	if (!store)
		return dfs_fail(err, ENOMEM, "out of memory");
	store->lock_fd = -1;
	store->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store->fd < 0)
		return dfs_fail_errno(err, "%s", path);
	store->path = realpath(path, NULL);
	if (!store->path)
		return dfs_fail_errno(err, "%s", path);
	version_read(store);
	if (!any_version && dfs_store_is_newer(store))
		return dfs_fail(
			err, ENOTSUP,
			"%s: this store is of version %u, this deltafs knows %u; it can only be read",
			path, store->version, DFS_STORE_VERSION);
	*ret_store = dfs_steal(&store);
	return 0;
}

void dfs_store_close(struct dfs_store *store)
{
	if (!store)
		return;
	dfs_store_unlock(store);
	if (store->fd >= 0)
		close(store->fd);
	free(store->path);
	free(store);
}

int dfs_store_fd(const struct dfs_store *store)
{
	return store->fd;
}

const char *dfs_store_path(const struct dfs_store *store)
{
	return store->path;
}

/* Resolve @path; its last component may be missing (a file to be made). */
static int resolve(const char *path, char **ret_path, struct dfs_err *err)
{
	*ret_path = realpath(path, NULL);
	if (!*ret_path && errno == ENOENT)
		*ret_path = dfs_resolve_parent(path);
	return *ret_path ? 0 : dfs_fail_errno(err, "%s", path);
}

static bool has_state(const char *dir)
{
	DFS_AUTO(fd) int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	return fd >= 0 && fstatat(fd, DFS_STORE_DIR, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(st.st_mode);
}

/*
 * Cut @path down to the nearest directory that holds a .deltafs. Does not
 * climb out of a file system: above a mount of deltafs (which shows no
 * .deltafs) there may be another store that has nothing to do with it.
 */
static bool climb(char *path)
{
	struct stat here, st;

	if (stat(path, &here) < 0)
		here.st_dev = 0;
	for (;;) {
		char *slash;

		if (has_state(*path ? path : "/"))
			return true;
		slash = strrchr(path, '/');
		if (!slash || !*path)
			return false;
		*slash = '\0';
		if (stat(*path ? path : "/", &st) < 0 || (here.st_dev && st.st_dev != here.st_dev))
			return false;
		here = st;
	}
}

int dfs_store_find(const char *path, struct dfs_store **ret_store, char **ret_rel,
		   struct dfs_err *err)
{
	DFS_AUTO(mem) char *whole = NULL;
	DFS_AUTO(mem) char *root = NULL;
	DFS_AUTO(mem) char *rel = NULL;
	size_t skip;
	int ret;

	ret = resolve(path, &whole, err);
	if (ret < 0)
		return ret;
	root = strdup(whole);
	if (!root)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (!climb(root))
		return dfs_fail(err, ENOENT, "%s: not in a store (no directory above it has a %s)",
				path, DFS_STORE_DIR);
	skip = strlen(root);
	while (whole[skip] == '/')
		skip++;
	rel = strdup(whole + skip);
	if (!rel)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_store_open(*root ? root : "/", true, ret_store, err);
	if (ret == 0 && ret_rel)
		*ret_rel = dfs_steal(&rel);
	return ret;
}

/* A directory of .deltafs, private whatever the umask and default ACLs of the store say. */
static int make_directory(struct dfs_store *store, const char *rel, struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = -1;
	bool made = mkdirat(store->fd, rel, 0700) == 0;
	int ret;

	if (!made && errno != EEXIST)
		return dfs_fail_errno(err, "%s/%s", store->path, rel);
	ret = dfs_store_openat(store, rel, O_RDONLY | O_DIRECTORY, &fd);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s/%s: %s", store->path, rel, strerror(-ret));
	if (!made)
		return 0;
	fremovexattr(fd, "system.posix_acl_default");
	fremovexattr(fd, "system.posix_acl_access");
	return fchmod(fd, 0700) < 0 ? dfs_fail_errno(err, "%s/%s", store->path, rel) : 0;
}

int dfs_store_prepare(struct dfs_store *store, struct dfs_err *err)
{
	int ret;

	if (dfs_store_is_newer(store))
		return dfs_fail(
			err, ENOTSUP,
			"%s: this store is of version %u, this deltafs knows %u; it can only be read",
			store->path, store->version, DFS_STORE_VERSION);
	if (store->version_damaged)
		return dfs_fail(
			err, EUCLEAN,
			"%s/%s is damaged, so this store is only read; if it is of version 1, put \"deltafs store 1\" there",
			store->path, version_path);
	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
		ret = make_directory(store, directories[i], err);
		if (ret < 0)
			return ret;
	}
	if (store->version)
		return 0;
	ret = dfs_write_durable(store, version_path, version_text, strlen(version_text), err);
	if (ret < 0)
		return ret;
	store->version = DFS_STORE_VERSION;
	fsync(store->fd);
	return 0;
}
