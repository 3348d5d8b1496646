/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk: every regular file below a directory, once, with its claim.
 */
#include "store/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "store/expand.h"
#include "store/hub.h"
#include "store/internal.h"

struct walk {
	int root;
	const struct dfs_walk_ops *ops;
	void *arg;
	struct dfs_err *err;
	struct dfs_paths followed;	/* blobs that were reached by a link */
};

static void report(struct walk *w, const char *path, int ret)
{
	if (w->ops->fail && ret != -ENOENT)
		w->ops->fail(w->arg, path, ret, strerror(-ret));
}

static int visit(struct walk *w, const char *path, int fd, const struct stat *st,
		 const struct dfs_paths *names)
{
	struct dfs_walk_file file = { .path = path, .fd = fd, .st = *st };
	int ret = dfs_claim_check(fd, (uint64_t)st->st_size, &file.claim);

	if (ret < 0) {
		report(w, path, ret);
		return 0;
	}
	if (names) {
		file.names = (const char *const *)names->paths;
		file.n_names = names->n;
	}
	return w->ops->file(w->arg, &file);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in @fd, sorted, .deltafs left out. All or none: who counts dependants must not miss one. */
static int entries(int fd, struct dfs_paths *ret_names)
{
	DFS_AUTO(paths) struct dfs_paths names = { 0 };
	DFS_AUTO(fd) int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DFS_AUTO(dir) DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const char *name;
	int ret;

	if (!dir)
		return -errno;
	dfs_steal_fd(&copy);
	while ((ret = dfs_dir_next(dir, &name)) > 0) {
		if (strcmp(name, DFS_STORE_DIR) != 0 && dfs_paths_add(&names, name) < 0)
			return -ENOMEM;
	}
	if (ret < 0)
		return ret;
	if (names.n)
		qsort(names.paths, names.n, sizeof(*names.paths), by_text);
	*ret_names = names;
	names = (struct dfs_paths){ 0 };
	return 0;
}

static int walk_entry(struct walk *w, int dir, const char *name, const char *path,
		      const struct dfs_hub *hub, unsigned depth);

static int walk_directory(struct walk *w, int fd, const char *path, const struct dfs_hub *outer,
			  unsigned depth)
{
	DFS_AUTO(paths) struct dfs_paths names = { 0 };
	DFS_AUTO(hub) struct dfs_hub hub = { 0 };
	int ret = entries(fd, &names);

	if (ret == 0 && !outer)
		ret = dfs_hub_read(fd, path, &hub);
	if (ret == -ENOMEM)
		return dfs_fail(w->err, ENOMEM, "out of memory");
	if (ret < 0) {
		report(w, path, ret);
		return 0;
	}
	for (size_t i = 0; i < names.n; i++) {
		DFS_AUTO(mem) char *below = NULL;

		if (asprintf(&below, "%s%s%s", path, *path ? "/" : "", names.paths[i]) < 0)
			return dfs_fail(w->err, ENOMEM, "out of memory");
		ret = walk_entry(w, fd, names.paths[i], below,
				 outer ? outer :
				 hub.n ? &hub :
					 NULL,
				 depth + 1);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* A link of a snapshot whose repository is not itself walked: on to its blob, once. */
static int follow(struct walk *w, int dir, const char *name, const char *path)
{
	const struct dfs_paths names = { (char *[]){ (char *)path }, 1 };
	DFS_AUTO(mem) char *blob = NULL;
	DFS_AUTO(fd) int fd = -1;
	struct stat st;
	int ret = dfs_hub_blob(dir, name, path, &blob);

	if (ret < 0)
		return ret == -ENOMEM ? dfs_fail(w->err, ENOMEM, "out of memory") : 0;
	for (size_t i = 0; i < w->followed.n; i++) {
		if (strcmp(w->followed.paths[i], blob) == 0)
			return 0;
	}
	if (dfs_paths_add(&w->followed, blob) < 0)
		return dfs_fail(w->err, ENOMEM, "out of memory");
	ret = dfs_openat_beneath(w->root, blob, O_RDONLY, 0, &fd);
	if (ret == 0 && fstat(fd, &st) < 0)
		ret = -errno;
	if (ret < 0) {
		report(w, path, ret);
		return 0;
	}
	return S_ISREG(st.st_mode) ? visit(w, blob, fd, &st, &names) : 0;
}

static int walk_entry(struct walk *w, int dir, const char *name, const char *path,
		      const struct dfs_hub *hub, unsigned depth)
{
	const struct dfs_hub_names *names = hub ? dfs_hub_find(hub, path) : NULL;
	DFS_AUTO(fd) int fd = -1;
	struct stat st;
	int ret;

	/* look before opening: opening a device may do things */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		report(w, path, -errno);
		return 0;
	}
	if (S_ISLNK(st.st_mode) && !hub)
		return follow(w, dir, name, path);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	if (S_ISDIR(st.st_mode) && depth > DFS_WALK_DEPTH) {
		report(w, path, -ENAMETOOLONG);
		return 0;
	}
	ret = dfs_openat_beneath(dir, name, O_RDONLY, 0, &fd);
	if (ret == 0 && fstat(fd, &st) < 0)
		ret = -errno;
	if (ret < 0) {
		report(w, path, ret);
		return 0;
	}
	if (S_ISDIR(st.st_mode))
		return walk_directory(w, fd, path, hub, depth);
	if (!S_ISREG(st.st_mode))
		return 0;
	return visit(w, path, fd, &st, names ? &names->paths : NULL);
}

int dfs_walk(int dir, const char *rel, const struct dfs_walk_ops *ops, void *arg,
	     struct dfs_err *err)
{
	struct walk w = { .root = dir, .ops = ops, .arg = arg, .err = err };
	DFS_AUTO(fd) int fd = -1;
	struct stat st;
	int ret;

	ret = dfs_openat_beneath(dir, rel, O_RDONLY, 0, &fd);
	if (ret == 0 && fstat(fd, &st) < 0)
		ret = -errno;
	if (ret < 0)
		return dfs_fail(err, -ret, "%s: %s", *rel ? rel : ".", strerror(-ret));
	if (S_ISDIR(st.st_mode)) {
		ret = walk_directory(&w, fd, rel, NULL, 0);
		dfs_paths_release(&w.followed);
		return ret;
	}
	if (S_ISREG(st.st_mode))
		return visit(&w, rel, fd, &st, NULL);
	return dfs_fail(err, EINVAL, "%s: neither a file nor a directory", rel);
}
