/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publish: a finished temporary file takes the place of a file of the store.
 */
#include "store/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "store/claim.h"
#include "store/internal.h"
#include "store/mark.h"

/*
 * Keep writers out. A read lease is refused while anybody has the file open
 * for writing, and delays whoever wants to, until it is given back (SIGURG
 * would tell us, and is ignored by default; a lease's own SIGIO would kill).
 * Who may not take one (not the owner, a file system without) goes without.
 * Only between enter() and leave(): those whom enter() waits for may be about
 * to open the file, and would wait for the lease.
 * Return: 1 with a lease, 0 without, -EBUSY.
 */
static int keep_writers_out(int fd, struct dfs_err *err)
{
	if (fcntl(fd, F_SETSIG, SIGURG) == 0 && fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
		return 1;
	if (errno == EAGAIN)
		return dfs_fail(err, EBUSY, "somebody has it open for writing");
	return 0;
}

/* A container became plain, but no empty file, whose content is to come; or what was one once is one again, exactly. */
static bool was_before(const struct dfs_publish *p)
{
	struct stat st;

	if (p->as_is)
		return false;
	if (p->sb)
		return !dfs_superblock_lossy(p->sb) && dfs_mark_has(&dfs_mark_exact, p->old_fd);
	return fstat(p->tmp_fd, &st) < 0 || st.st_size > 0;
}

static int mark_before(const struct dfs_publish *p, struct dfs_err *err)
{
	int ret;

	if (!was_before(p))
		return 0;
	ret = dfs_mark_set(&dfs_mark_exact, p->tmp_fd);
	return ret < 0 && ret != -ENOTSUP ? dfs_fail(err, -ret, "mark as compressed before: %s", strerror(-ret)) : 0;
}

static int dress(const struct dfs_publish *p, struct dfs_err *err)
{
	const struct timespec now[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_NOW } };
	int ret;

	if (p->sb) {
		ret = dfs_claim_mark(p->tmp_fd, p->sb);
		if (ret < 0 && ret != -ENOTSUP)
			return dfs_fail(err, -ret, "mark as a container: %s", strerror(-ret));
	}
	ret = mark_before(p, err);
	if (ret == 0 && !p->as_is)
		ret = dfs_attributes_copy(p->old_fd, &p->expect, p->tmp_fd, err);
	if (ret < 0)
		return ret;
	if (p->anew && !p->as_is && futimens(p->tmp_fd, now) < 0)
		return dfs_fail_errno(err, "futimens");
	if (fsync(p->tmp_fd) < 0)
		return dfs_fail_errno(err, "fsync");
	return 0;
}

static int still_the_same(int dir, const char *name, const struct dfs_publish *p,
			  struct dfs_err *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return dfs_fail(err, ESTALE, "was removed or renamed meanwhile");
	if (!dfs_stat_unchanged(&st, &p->expect))
		return dfs_fail(err, ESTALE, "was changed meanwhile");
	return 0;
}

/* The directory's times are as before, unless the file is another one: what it shows is what it showed. */
static int rename_quietly(struct dfs_store *store, const struct dfs_publish *p, int dir, const char *name,
			  struct dfs_published *ret_now)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
	bool known = fstat(dir, &ret_now->dir_before) == 0;

	if (renameat(store->fd, p->tmp_name, dir, name) < 0)
		return -errno;
	times[1] = ret_now->dir_before.st_mtim;
	if (known && !p->anew)
		(void)futimens(dir, times); /* not ours to set: it shows that something happened */
	return 0;
}

static int take_place_alone(struct dfs_store *store, const struct dfs_publish *p, int dir, const char *name,
			    struct dfs_published *ret_now, struct dfs_err *err)
{
	int ret = still_the_same(dir, name, p, err);

	if (ret < 0)
		return ret;
	ret = rename_quietly(store, p, dir, name, ret_now);
	if (ret == -EXDEV)
		return dfs_fail(err, EXDEV, "its directory is on another file system than %s/%s",
				store->path, DFS_STORE_DIR);
	return ret < 0 ? dfs_fail(err, -ret, "rename: %s", strerror(-ret)) : 0;
}

static int take_place(struct dfs_store *store, const struct dfs_publish *p, int dir, const char *name,
		      struct dfs_published *ret_now, struct dfs_err *err)
{
	int ret, lease = p->old_is_still ? 0 : keep_writers_out(p->old_fd, err);

	if (lease < 0)
		return lease;
	ret = take_place_alone(store, p, dir, name, ret_now, err);
	if (lease)
		fcntl(p->old_fd, F_SETLEASE, F_UNLCK);
	return ret;
}

static int put_in_place(struct dfs_store *store, const struct dfs_publish *p, int dir,
			const char *name, struct dfs_err *err)
{
	int ret = p->enter ? p->enter(p->arg) : 0;
	struct dfs_published now;
	bool known;

	if (ret < 0)
		return dfs_fail(err, -ret, "%s", ret == -EBUSY ? "somebody has it open for writing" : strerror(-ret));
	ret = take_place(store, p, dir, name, &now, err);
	known = ret == 0 && fstat(p->tmp_fd, &now.file) == 0 && fstat(dir, &now.dir) == 0;
	if (p->leave)
		p->leave(p->arg, known ? &now : NULL);
	return ret;
}

static int open_parent(struct dfs_store *store, const char *target, int *ret_dir,
		       const char **ret_name)
{
	const char *slash = strrchr(target, '/');
	DFS_AUTO(mem) char *parent = strndup(target, slash ? (size_t)(slash - target) : 0);

	if (!parent)
		return -ENOMEM;
	*ret_name = slash ? slash + 1 : target;
	return dfs_store_openat(store, parent, O_RDONLY | O_DIRECTORY, ret_dir);
}

static int publish(struct dfs_store *store, const struct dfs_publish *p, struct dfs_err *err)
{
	DFS_AUTO(fd) int dir = -1;
	const char *name;
	int ret;

	ret = open_parent(store, p->target, &dir, &name);
	if (ret < 0)
		return dfs_fail(err, -ret, "its directory: %s", strerror(-ret));
	ret = dress(p, err);
	if (ret < 0)
		return ret;
	ret = put_in_place(store, p, dir, name, err);
	if (ret < 0)
		return ret;
	if (fsync(dir) < 0)
		return dfs_fail_errno(
			err,
			"fsync of its directory; the new file is in place, but a power cut may bring the old one back");
	return 0;
}

int dfs_publish(struct dfs_store *store, const struct dfs_publish *p, struct dfs_err *err)
{
	int ret = publish(store, p, err);

	/* after the rename there is nothing of that name any more */
	if (ret < 0) {
		if (!p->keep)
			unlinkat(store->fd, p->tmp_name, 0);
		return dfs_err_at(err, ret, "%s", p->target);
	}
	return 0;
}
