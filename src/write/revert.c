/* SPDX-License-Identifier: GPL-2.0-or-later */
/* revert: see revert.h. */
#include "write/revert.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/mark.h"
#include "util/clock.h"

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

/* An original that is open, and was read. */
struct original {
	char id[DFS_KEPT_ID];
	int fd;
	struct stat st;
};

/*
 * All of it is read, before anything is taken from anybody. Where the record
 * has no hash, its size must do.
 */
static int original_open(const struct dfs_revert *r, struct original *o, struct dfs_err *err)
{
	struct dfs_keeper_view view;
	char path[DFS_KEPT_PATH_SIZE];
	int ret;

	o->fd = -1;
	if (!dfs_keeper_ask(r->keeper, r->fd, &view))
		return dfs_fail(err, ENOENT, "nothing is kept of it");
	if (!r->written && !dfs_kept_made(r->fd, view.hash))
		return dfs_fail(err, EEXIST, "it was decoded, written to or coded anew since it gave up bits, and what was written would be lost; "
				"--yes reverts it all the same");
	memcpy(o->id, view.id, sizeof(o->id));
	ret = dfs_store_openat(r->store, dfs_kept_path(view.id, path), O_RDONLY | O_NOATIME, &o->fd);
	if (ret < 0) {
		o->fd = -1;
		return dfs_fail(err, -ret, "its original: %s", strerror(-ret));
	}
	if (fstat(o->fd, &o->st) < 0)
		return dfs_fail_errno(err, "its original: stat");
	ret = dfs_kept_check(o->fd, view.bytes, view.hash, NULL, NULL, err);
	return ret < 0 ? dfs_err_at(err, ret, "its original cannot be given back, and the file stays as it is") : 0;
}

static int still_same(const struct original *o, const struct dfs_keeper_view *view, struct dfs_err *err)
{
	struct stat st;

	if (fstat(o->fd, &st) < 0)
		return dfs_fail_errno(err, "its original: stat");
	if (strcmp(o->id, view->id) || st.st_size != o->st.st_size || !dfs_time_same(st.st_mtim, o->st.st_mtim))
		return dfs_fail(err, ESTALE, "its original changed meanwhile");
	return 0;
}

static int give_back(const struct dfs_revert *r, const struct original *o, const struct dfs_keeper_view *view,
		     struct dfs_err *err)
{
	char path[DFS_KEPT_PATH_SIZE];
	struct dfs_publish publish = {
		.tmp_name = dfs_kept_path(view->id, path), .tmp_fd = o->fd, .target = r->rel, .old_fd = r->fd,
		.as_is = true, .anew = true, .keep = true,
		.enter = r->enter, .leave = r->leave, .arg = r->arg,
	};
	int ret = still_same(o, view, err);

	if (ret == 0)
		ret = dress(o->fd, view->mode, err);
	if (ret < 0)
		return ret;
	if (fstat(r->fd, &publish.expect) < 0)
		return dfs_fail_errno(err, "stat");
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
	struct original o;
	int ret = original_open(r, &o, err);

	if (ret == 0)
		ret = dfs_keeper_take(r->keeper, r->fd, ret_view, err);
	if (ret == 0) {
		ret = give_back(r, &o, ret_view, err);
		dfs_keeper_give(r->keeper, ret_view->id, ret == 0 || is_back(r, ret_view->id));
	}
	if (o.fd >= 0)
		close(o.fd);
	return ret;
}
