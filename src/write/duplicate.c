/* SPDX-License-Identifier: GPL-2.0-or-later */
/* duplicate: see duplicate.h. */
#include "write/duplicate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/claim.h"
#include "util/auto.h"
#include "util/hash.h"
#include "write/verify.h"

/* Copied at once: enough for a disk to write without pause. */
#define WINDOW (16u << 20)

bool dfs_duplicate_allowed(const struct dfs_view *view, uid_t owner)
{
	struct stat st;

	if (dfs_view_trusted(view))
		return true;
	return fstat(dfs_view_fd(view), &st) == 0 && st.st_uid == owner && owner == geteuid();
}

/* Bytes that follow the container are not its own. */
static int copy_stored(int from, int to, uint64_t size, struct dfs_err *err)
{
	off_t at = 0, to_at = 0;

	if (ioctl(to, FICLONE, from) == 0)
		return ftruncate(to, (off_t)size) < 0 ? dfs_fail_errno(err, "cut the copy") : 0;
	while ((uint64_t)at < size) {
		uint64_t rest = size - (uint64_t)at;
		ssize_t n = copy_file_range(from, &at, to, &to_at, rest < WINDOW ? rest : WINDOW, 0);

		if (n < 0 && errno != EINTR)
			return dfs_fail_errno(err, "copy what is stored");
		if (n == 0)
			return dfs_fail(err, EUCLEAN, "a container that ends before it should");
		/* The disk has something to do while the rest is copied and checked: in the end all must be there. */
		if (n > 0)
			(void)sync_file_range(to, to_at - n, n, SYNC_FILE_RANGE_WRITE);
	}
	return 0;
}

/* Is it what the view was made of, which the mark then speaks for? */
static int check(int fd, const struct dfs_superblock *sb, struct dfs_err *err)
{
	const struct dfs_verify_config verify = { .reader = NULL };
	struct dfs_claim claim;
	int ret = dfs_verify_fast(fd, "what was copied", &verify, err);

	if (ret == 0)
		ret = dfs_claim_check(fd, sb->container_size, &claim);
	if (ret < 0)
		return ret;
	if (claim.kind != DFS_CONTAINER || !dfs_hash_equal(claim.sb.meta_hash, sb->meta_hash) ||
	    claim.original_size != sb->original_size)
		return dfs_fail(err, EUCLEAN, "what is stored was changed since it was opened");
	return 0;
}

static int fill(const struct dfs_view *view, int to, struct dfs_err *err)
{
	const struct dfs_superblock *sb = &dfs_view_container(view)->sb;
	struct stat st, tmp;
	int ret;

	if (fstat(dfs_view_fd(view), &st) < 0 || fstat(to, &tmp) < 0)
		return dfs_fail_errno(err, "fstat");
	if (st.st_dev != tmp.st_dev)
		return dfs_fail(err, EXDEV, "a container of another file system");
	ret = copy_stored(dfs_view_fd(view), to, sb->container_size, err);
	if (ret == 0)
		ret = check(to, sb, err);
	if (ret < 0)
		return ret;
	ret = dfs_claim_mark(to, sb);
	return ret < 0 && ret != -ENOTSUP ? dfs_fail(err, -ret, "mark as a container: %s", strerror(-ret)) : 0;
}

int dfs_duplicate(struct dfs_store *store, const struct dfs_view *view, int *ret_fd, char **ret_tmp_name,
		  struct dfs_err *err)
{
	DFS_AUTO(mem) char *name = NULL;
	DFS_AUTO(fd) int fd = -1;
	int ret = dfs_store_tmp(store, &fd, &name, err);

	if (ret < 0)
		return ret;
	ret = fill(view, fd, err);
	if (ret < 0) {
		unlinkat(dfs_store_fd(store), name, 0);
		return ret;
	}
	*ret_fd = dfs_steal_fd(&fd);
	*ret_tmp_name = dfs_steal(&name);
	return 0;
}
