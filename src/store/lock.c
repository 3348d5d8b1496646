/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock: one writer a store.
 *
 * flock(2) on .deltafs/lock, which the kernel drops with the process however
 * it ends. The text in the file is only for the sentence that others get.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/internal.h"
#include "store/kept.h"
#include "util/io.h"
#include "util/mountinfo.h"

static const char lock_path[] = DFS_STORE_DIR "/lock";

/* Somebody who only asks (dfs_store_holder()) holds the lock for an instant: outlast him. */
#define LOCK_TRIES 5
#define LOCK_PAUSE_MS 10
/* A daemon whose mount is gone is ending: who has just unmounted it need not know that it takes a moment. */
#define ENDING_TRIES 500

static void command_of(long pid, char *ret_command, size_t size)
{
	char path[64];
	DFS_AUTO(fd) int fd = -1;
	ssize_t n = -1;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, ret_command, size - 1);
	while (n > 0 && ret_command[n - 1] == '\n')
		n--;
	ret_command[n > 0 ? n : 0] = '\0';
}

static void holder_read(int fd, struct dfs_holder *ret_holder)
{
	char text[sizeof(ret_holder->mountpoint) + 32];
	ssize_t n = dfs_pread_some(fd, text, sizeof(text) - 1, 0);
	char *end;

	memset(ret_holder, 0, sizeof(*ret_holder));
	if (n <= 0)
		return;
	if (text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	ret_holder->pid = strtol(text, &end, 10);
	if (end == text || ret_holder->pid <= 0 || *end != ' ') {
		ret_holder->pid = 0;
		return;
	}
	snprintf(ret_holder->mountpoint, sizeof(ret_holder->mountpoint), "%s", end + 1);
	command_of(ret_holder->pid, ret_holder->command, sizeof(ret_holder->command));
}

int dfs_store_holder(const struct dfs_store *store, struct dfs_holder *ret_holder)
{
	DFS_AUTO(fd) int fd = -1;
	int ret = dfs_store_openat(store, lock_path, O_RDONLY, &fd);

	if (ret < 0)
		return ret;
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		return -ENOENT;
	if (errno != EWOULDBLOCK)
		return -errno;
	holder_read(fd, ret_holder);
	return 0;
}

static int busy(const struct dfs_store *store, int fd, struct dfs_err *err)
{
	struct dfs_holder holder;

	holder_read(fd, &holder);
	if (!holder.pid)
		return dfs_fail(err, EBUSY, "%s: another process writes to this store",
				store->path);
	return dfs_fail(err, EBUSY, "%s: process %ld (%s) %s%s; one writer a store", store->path,
			holder.pid, *holder.command ? holder.command : "not seen from here",
			*holder.mountpoint ? "has it mounted on " : "writes to this store",
			holder.mountpoint);
}

/* Or beginning; or its mount cannot be seen from here. */
static bool is_ending(int fd)
{
	char type[DFS_MOUNT_TYPE], source[DFS_MOUNT_SOURCE];
	struct dfs_holder holder;

	holder_read(fd, &holder);
	return holder.pid && *holder.mountpoint && !dfs_mountinfo_find(holder.mountpoint, type, source);
}

static int take(const struct dfs_store *store, int fd, struct dfs_err *err)
{
	static const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000L };

	for (int i = 0; i < LOCK_TRIES || (i < ENDING_TRIES && is_ending(fd)); i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return dfs_fail(
				err, errno,
				"%s: this file system has no file locks (%s), so nothing keeps a second writer out; it can only be read",
				store->path, strerror(errno));
		nanosleep(&pause, NULL);
	}
	return busy(store, fd, err);
}

/* What lies in .deltafs/tmp while nobody holds the lock was left by a crash. */
static void clear_tmp(struct dfs_store *store)
{
	DFS_AUTO(dir) DIR *dir = NULL;
	const char *name;

	if (dfs_dir_open(store, DFS_STORE_DIR "/tmp", &dir) < 0)
		return;
	while (dfs_dir_next(dir, &name) > 0)
		unlinkat(dirfd(dir), name, 0);
}

int dfs_store_lock_note(struct dfs_store *store, const char *mountpoint)
{
	DFS_AUTO(mem) char *text = NULL;
	int len, ret;

	if (store->lock_fd < 0)
		return -ENOLCK;
	len = asprintf(&text, "%ld %s\n", (long)getpid(), mountpoint);
	if (len < 0)
		return -ENOMEM;
	ret = dfs_pwrite_all(store->lock_fd, text, (size_t)len, 0);
	if (ret == 0 && ftruncate(store->lock_fd, len) < 0)
		ret = -errno;
	return ret;
}

int dfs_store_lock(struct dfs_store *store, const char *mountpoint, struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = -1;
	int ret;

	if (store->lock_fd >= 0)
		return dfs_store_lock_note(store, mountpoint);
	ret = dfs_store_prepare(store, err);
	if (ret < 0)
		return ret;
	ret = dfs_store_openat(store, lock_path, O_RDWR | O_CREAT, &fd);
	if (ret < 0)
		return dfs_fail(err, -ret, "%s/%s: %s", store->path, lock_path, strerror(-ret));
	ret = take(store, fd, err);
	if (ret < 0)
		return ret;
	store->lock_fd = dfs_steal_fd(&fd);
	dfs_store_lock_note(store, mountpoint);
	clear_tmp(store);
	dfs_kept_tidy(store);
	return 0;
}

void dfs_store_unlock(struct dfs_store *store)
{
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	store->lock_fd = -1;
}
