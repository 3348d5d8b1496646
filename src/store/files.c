/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * files: small files and temporary ones of .deltafs/.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/internal.h"
#include "util/io.h"

int dfs_read_small(int dir, const char *rel, size_t max, struct dfs_buf *ret_buf)
{
	DFS_AUTO(fd) int fd = -1;
	struct dfs_buf buf = { 0 };
	struct stat st;
	uint8_t *p;
	int ret;

	if (dir == AT_FDCWD) {
		fd = open(rel, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		ret = fd < 0 ? -errno : 0;
	} else {
		ret = dfs_openat_beneath(dir, rel, O_RDONLY, 0, &fd);
	}
	if (ret < 0)
		return ret;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > max)
		return -EFBIG;
	p = dfs_buf_extend(&buf, (size_t)st.st_size + 1);
	if (!p)
		return -ENOMEM;
	ret = dfs_pread_all(fd, p, (size_t)st.st_size, 0);
	if (ret < 0) {
		dfs_buf_release(&buf);
		return ret;
	}
	p[st.st_size] = 0;
	buf.len--;
	*ret_buf = buf;
	return 0;
}

int dfs_dir_open(const struct dfs_store *store, const char *rel, DIR **ret_dir)
{
	DFS_AUTO(fd) int fd = -1;
	int ret = dfs_store_openat(store, rel, O_RDONLY | O_DIRECTORY, &fd);

	*ret_dir = NULL;
	if (ret < 0)
		return ret;
	*ret_dir = fdopendir(fd);
	if (!*ret_dir)
		return -errno;
	dfs_steal_fd(&fd);
	return 0;
}

int dfs_dir_next(DIR *dir, const char **ret_name)
{
	struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(dir);
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	if (!entry)
		return -errno;
	*ret_name = entry->d_name;
	return 1;
}

int dfs_sync_dir(const struct dfs_store *store, const char *rel)
{
	DFS_AUTO(fd) int fd = -1;
	int ret = dfs_store_openat(store, rel, O_RDONLY | O_DIRECTORY, &fd);

	if (ret < 0)
		return ret;
	return fsync(fd) < 0 ? -errno : 0;
}

/* Names are random, so that two processes never meet and none is ever used twice. */
int dfs_store_tmp(struct dfs_store *store, int *ret_fd, char **ret_name, struct dfs_err *err)
{
	for (int tries = 0; tries < 100; tries++) {
		DFS_AUTO(mem) char *name = NULL;
		uint64_t number;
		int ret;

		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return dfs_fail_errno(err, "getrandom");
		if (asprintf(&name, DFS_STORE_DIR "/tmp/%016llx", (unsigned long long)number) < 0)
			return dfs_fail(err, ENOMEM, "out of memory");
		ret = dfs_store_openat(store, name, O_RDWR | O_CREAT | O_EXCL, ret_fd);
		if (ret == 0) {
			*ret_name = dfs_steal(&name);
			return 0;
		}
		if (ret != -EEXIST)
			return dfs_fail(err, -ret, "%s/%s: %s", store->path, name, strerror(-ret));
	}
	return dfs_fail(err, EEXIST, "%s/" DFS_STORE_DIR "/tmp: no name is free", store->path);
}

/* The directory part of a path of the store, "" for none. */
static char *parent_of(const char *rel)
{
	const char *slash = strrchr(rel, '/');

	return strndup(rel, slash ? (size_t)(slash - rel) : 0);
}

int dfs_write_durable(struct dfs_store *store, const char *rel, const void *data, size_t len,
		      struct dfs_err *err)
{
	DFS_AUTO(mem) char *parent = parent_of(rel);
	DFS_AUTO(mem) char *name = NULL;
	DFS_AUTO(fd) int fd = -1;
	int ret;

	if (!parent)
		return dfs_fail(err, ENOMEM, "out of memory");
	ret = dfs_store_tmp(store, &fd, &name, err);
	if (ret < 0)
		return ret;
	ret = dfs_write_all(fd, data, len);
	if (ret == 0 && fsync(fd) < 0)
		ret = -errno;
	if (ret == 0 && renameat(store->fd, name, store->fd, rel) < 0)
		ret = -errno;
	if (ret < 0)
		unlinkat(store->fd, name, 0);
	else
		ret = dfs_sync_dir(store, parent);
	if (ret < 0)
		return dfs_fail(err, -ret, "write %s/%s: %s", store->path, rel, strerror(-ret));
	return 0;
}
