/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pin_add: one base file, brought under .deltafs/pins by link, clone or copy.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

#include "store/internal.h"
#include "store/pins.h"
#include "util/fdpath.h"
#include "util/io.h"

#define PIECE (1u << 20)

DFS_AUTO_KIND(hasher, struct dfs_hasher *, dfs_hasher_free(*p));

int dfs_link_fd(int fd, int dir, const char *path)
{
	char self[DFS_FD_PATH_SIZE];

	if (linkat(AT_FDCWD, dfs_fd_path(fd, self), dir, path, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != ENOENT)
		return -errno;
	return linkat(fd, "", dir, path, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* Is what lies at @path this very file, or another with its content? */
static bool is_sound(struct dfs_store *store, const char *path, const struct dfs_pin_add *add)
{
	DFS_AUTO(fd) int fd = -1;
	struct dfs_hash hash;
	struct stat a, b;

	if (dfs_store_openat(store, path, O_RDONLY, &fd) < 0 || fstat(fd, &a) < 0 ||
	    fstat(add->fd, &b) < 0)
		return false;
	if (!S_ISREG(a.st_mode) || a.st_size != b.st_size)
		return false;
	if (a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return true;
	return dfs_hashes_get(store, fd, add->progress, add->arg, &hash) == 0 &&
	       dfs_hash_equal(hash, add->hash);
}

static const char *why_no_link(int ret)
{
	static const struct {
		int code;
		const char *why;
	} reasons[] = {
		{ -EXDEV, "it is on another file system than the store" },
		{ -EPERM,
		  "hard links to it are not allowed here, by the file system or because another user owns it" },
		{ -ENOTSUP, "this file system has no hard links" },
		{ -ENOSYS, "this file system has no hard links" },
		{ -EMLINK, "it has as many hard links as the file system allows" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		if (reasons[i].code == ret)
			return reasons[i].why;
	}
	return NULL;
}

/* Over a pin of other content only a rename leads; a link will not replace. */
static int link_over(struct dfs_store *store, const struct dfs_pin_add *add, const char *path)
{
	DFS_AUTO(mem) char *name = NULL;
	DFS_AUTO(fd) int fd = -1;
	int ret = dfs_store_tmp(store, &fd, &name, NULL);

	if (ret < 0)
		return ret;
	unlinkat(store->fd, name, 0);
	ret = dfs_link_fd(add->fd, store->fd, name);
	if (ret == 0 && renameat(store->fd, name, store->fd, path) < 0) {
		ret = -errno;
		unlinkat(store->fd, name, 0);
	}
	return ret;
}

static int link_to(struct dfs_store *store, const struct dfs_pin_add *add, const char *path, bool over)
{
	const struct dfs_pin_watch *watch = add->watch;
	struct stat st;
	int ret;

	if (!watch)
		return over ? link_over(store, add, path) : dfs_link_fd(add->fd, store->fd, path);
	ret = watch->enter(watch->arg, add->fd);
	if (ret < 0)
		return ret;
	ret = over ? link_over(store, add, path) : dfs_link_fd(add->fd, store->fd, path);
	watch->leave(watch->arg, ret == 0 && fstat(add->fd, &st) == 0 ? &st : NULL);
	return ret;
}

static int copy_bytes(const struct dfs_pin_add *add, int to, uint64_t size, struct dfs_err *err)
{
	DFS_AUTO(hasher) struct dfs_hasher *hasher = dfs_hasher_new();
	DFS_AUTO(mem) uint8_t *piece = malloc(PIECE);

	if (!hasher || !piece)
		return dfs_fail(err, ENOMEM, "out of memory");
	for (uint64_t done = 0; done < size;) {
		size_t n = size - done < PIECE ? size - done : PIECE;
		int ret = dfs_pread_all(add->fd, piece, n, done);

		if (ret == 0)
			ret = dfs_pwrite_all(to, piece, n, done);
		if (ret < 0)
			return dfs_fail(err, -ret, "copy: %s", strerror(-ret));
		dfs_hasher_add(hasher, piece, n);
		done += n;
		if (add->progress && !add->progress(add->arg, done, size))
			return dfs_fail(err, ECANCELED, "cancelled");
	}
	if (!add->as_is && !dfs_hash_equal(dfs_hasher_end(hasher), add->hash))
		return dfs_fail(err, EBADMSG, "its content changed while it was copied");
	return 0;
}

static int has_room(struct dfs_store *store, uint64_t size, struct dfs_err *err)
{
	struct statvfs fs;
	uint64_t room;

	if (fstatvfs(store->fd, &fs) < 0)
		return dfs_fail_errno(err, "statvfs");
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room < size)
		return dfs_fail(err, ENOSPC, "a copy needs %llu bytes, %llu are free",
				(unsigned long long)size, (unsigned long long)room);
	return 0;
}

/* The copy's owner and mode say who may read it, as the original's did; nobody else can reach it. */
static int dress(int to, const struct stat *st, struct dfs_err *err)
{
	if (fchown(to, st->st_uid, st->st_gid) < 0 && errno != EPERM)
		return dfs_fail_errno(err, "fchown");
	if (fchmod(to, st->st_mode & 0777) < 0)
		return dfs_fail_errno(err, "fchmod");
	if (fsync(to) < 0)
		return dfs_fail_errno(err, "fsync");
	return 0;
}

static int fill(struct dfs_store *store, const struct dfs_pin_add *add, int to,
		enum dfs_pin_how *ret_how, struct dfs_err *err)
{
	struct stat st;
	int ret = 0;

	if (fstat(add->fd, &st) < 0)
		return dfs_fail_errno(err, "fstat");
	if (ioctl(to, FICLONE, add->fd) == 0) {
		*ret_how = DFS_PIN_CLONED;
	} else {
		ret = has_room(store, (uint64_t)st.st_size, err);
		if (ret == 0)
			ret = copy_bytes(add, to, (uint64_t)st.st_size, err);
		*ret_how = DFS_PIN_COPIED;
	}
	return ret < 0 ? ret : dress(to, &st, err);
}

int dfs_pin_copy_over(struct dfs_store *store, const struct dfs_pin_add *add, const char *path,
		      enum dfs_pin_how *ret_how, struct dfs_err *err)
{
	DFS_AUTO(mem) char *name = NULL;
	DFS_AUTO(fd) int fd = -1;
	int ret = dfs_store_tmp(store, &fd, &name, err);

	if (ret < 0)
		return ret;
	ret = fill(store, add, fd, ret_how, err);
	if (ret == 0 && renameat(store->fd, name, store->fd, path) < 0)
		ret = dfs_fail_errno(err, "rename to %s", path);
	if (ret < 0)
		unlinkat(store->fd, name, 0);
	return ret;
}

static int place(struct dfs_store *store, const struct dfs_pin_add *add, const char *path,
		 enum dfs_pin_how *ret_how, struct dfs_err *ret_why, struct dfs_err *err)
{
	struct stat st;
	int ret, link_ret;

	/* with the file system's links or without: a sound pin is not made twice */
	if (fstatat(store->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		*ret_how = DFS_PIN_THERE;
		if (is_sound(store, path, add))
			return 0;
		link_ret = link_to(store, add, path, true);
	} else {
		link_ret = link_to(store, add, path, false);
	}
	*ret_how = DFS_PIN_LINKED;
	if (link_ret == 0)
		return 0;
	if (link_ret == -EBUSY)
		return dfs_fail(err, EBUSY, "somebody has it open for writing");
	if (!why_no_link(link_ret))
		return dfs_fail(err, -link_ret, "link to %s: %s", path, strerror(-link_ret));
	ret = dfs_pin_copy_over(store, add, path, ret_how, err);
	if (ret == 0 && *ret_how == DFS_PIN_COPIED)
		dfs_fail(ret_why, -link_ret, "%s", why_no_link(link_ret));
	return ret;
}

int dfs_pin_add(struct dfs_store *store, const struct dfs_pin_add *add, enum dfs_pin_how *ret_how,
		struct dfs_err *ret_why, struct dfs_err *err)
{
	char path[DFS_PIN_PATH_SIZE];
	int ret;

	/* what is pinned must outlive a power cut from now on, whoever wrote it just before */
	if (fsync(add->fd) < 0)
		return dfs_fail_errno(err, "fsync");
	ret = place(store, add, dfs_pin_path(add->hash, path), ret_how, ret_why, err);
	if (ret < 0)
		return ret;
	ret = dfs_sync_dir(store, DFS_STORE_DIR "/pins");
	if (ret < 0)
		return dfs_fail(err, -ret, "fsync of the pins: %s", strerror(-ret));
	return 0;
}
