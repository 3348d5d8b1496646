/* SPDX-License-Identifier: GPL-2.0-or-later */
/* revert: see revert.h. */
#include "write/revert.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/mark.h"
#include "util/auto.h"

/* Nothing is to give up its bits again. Who owns a file that he may not write to can have it so for a moment. */
static int mark_exact(int fd, mode_t mode, struct dfs_err *err)
{
	int ret = dfs_mark_set(&dfs_mark_exact, fd);

	if (ret == -EACCES && fchmod(fd, mode | S_IWUSR) == 0)
		ret = dfs_mark_set(&dfs_mark_exact, fd);
	if (ret < 0 && ret != -ENOTSUP)
		return dfs_fail(err, -ret, "mark as exact: %s", strerror(-ret));
	return 0;
}

/* As it was when it was kept, though a crash was in between, or somebody who had it open changed it. */
static int dress(int fd, mode_t mode, struct dfs_err *err)
{
	struct stat st;
	int ret = mark_exact(fd, mode, err);

	if (ret < 0)
		return ret;
	if (fstat(fd, &st) < 0 || ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0))
		return dfs_fail_errno(err, "fchmod");
	return 0;
}

static int open_original(const struct dfs_revert *r, const struct dfs_keeper_view *view, const char *path, int *ret_fd,
			 struct dfs_err *err)
{
	struct stat st;
	int ret = dfs_store_openat(r->store, path, O_RDONLY | O_NOATIME, ret_fd);

	if (ret < 0) {
		*ret_fd = -1;
		return dfs_fail(err, -ret, "its original: %s", strerror(-ret));
	}
	if (fstat(*ret_fd, &st) < 0)
		return dfs_fail_errno(err, "its original: stat");
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != view->bytes)
		return dfs_fail(err, EUCLEAN, "its original has %llu bytes, not %llu: somebody changed it",
				(unsigned long long)st.st_size, (unsigned long long)view->bytes);
	return 0;
}

static int give_back(const struct dfs_revert *r, const struct dfs_keeper_view *view, struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = -1;
	char path[DFS_KEPT_PATH_SIZE];
	struct dfs_publish publish = {
		.tmp_name = dfs_kept_path(view->id, path), .target = r->rel, .old_fd = r->fd,
		.as_is = true, .anew = true, .keep = true,
		.enter = r->enter, .leave = r->leave, .arg = r->arg,
	};
	int ret = open_original(r, view, path, &fd, err);

	if (ret == 0)
		ret = dress(fd, view->mode, err);
	if (ret < 0)
		return dfs_err_at(err, ret, "%s", r->rel);
	if (fstat(r->fd, &publish.expect) < 0)
		return dfs_fail_errno(err, "%s: stat", r->rel);
	publish.tmp_fd = fd;
	return dfs_publish(r->store, &publish, err);
}

/* It may have failed after the rename. */
static bool is_back(const struct dfs_revert *r, const char *id)
{
	char path[DFS_KEPT_PATH_SIZE];
	struct stat st;

	return fstatat(dfs_store_fd(r->store), dfs_kept_path(id, path), &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

int dfs_revert(const struct dfs_revert *r, struct dfs_keeper_view *ret_view, struct dfs_err *err)
{
	int ret = dfs_keeper_take(r->keeper, r->fd, ret_view, err);

	if (ret < 0)
		return dfs_err_at(err, ret, "%s", r->rel);
	ret = give_back(r, ret_view, err);
	dfs_keeper_give(r->keeper, ret_view->id, ret == 0 || is_back(r, ret_view->id));
	return ret;
}
