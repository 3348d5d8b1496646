/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mounts: statfs says FUSE, mountinfo says whose. */
#include "mounts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "util/auto.h"
#include "util/mountinfo.h"

#define FUSE_MAGIC 0x65735546

static char *plain(const char *word)
{
	char *text = strdup(word);

	if (text)
		dfs_mountinfo_plain(text);
	return text;
}

/* "36 35 0:42 / /mnt rw,... shared:1 - fuse.deltafs /store rw,..." */
static int line_match(char *line, dev_t dev, struct ctl_mount *ret_mount)
{
	unsigned major, minor;
	char *point = NULL, *rest, *save, *type, *source;
	int ret = 0;

	rest = strstr(line, " - ");
	if (!rest || sscanf(line, "%*d %*d %u:%u %*s %ms", &major, &minor, &point) != 3)
		return 0;
	type = strtok_r(rest + 3, " ", &save);
	source = strtok_r(NULL, " ", &save);
	if (type && source && !strcmp(type, "fuse.deltafs") && makedev(major, minor) == dev) {
		ret_mount->point = plain(point);
		ret_mount->store = plain(source);
		ret = ret_mount->point && ret_mount->store ? 1 : -ENOMEM;
	}
	free(point);
	return ret;
}

int ctl_mount_find(const char *path, struct ctl_mount *ret_mount)
{
	DFS_AUTO(file) FILE *info = NULL;
	DFS_AUTO(mem) char *line = NULL;
	struct statfs fs;
	struct stat st;
	size_t cap = 0;
	int ret = 0;

	if (statfs(path, &fs) < 0 || stat(path, &st) < 0)
		return -errno;
	if (fs.f_type != FUSE_MAGIC)
		return 0;
	info = fopen("/proc/self/mountinfo", "re");
	if (!info)
		return -errno;
	while (ret == 0 && getline(&line, &cap, info) > 0)
		ret = line_match(line, st.st_dev, ret_mount);
	return ret;
}

void ctl_mount_release(struct ctl_mount *mount)
{
	free(mount->point);
	free(mount->store);
	*mount = (struct ctl_mount){ 0 };
}

char *ctl_mount_behind(const char *path, struct dfs_err *err)
{
	struct ctl_mount mount = { 0 };
	DFS_AUTO(mem) char *full = realpath(path, NULL);
	int ret = full ? ctl_mount_find(full, &mount) : -errno;
	char *behind = NULL;

	if (ret < 0)
		dfs_fail(err, -ret, "%s: %s", path, strerror(-ret));
	else if (ret == 0)
		behind = strdup(full);
	else if (!strcmp(mount.point, mount.store))
		dfs_fail(err, EBUSY, "%s is seen through a mount that lies over its own store; unmount %s first",
			 path, mount.point);
	else if (asprintf(&behind, "%s%s", mount.store, full + strlen(mount.point)) < 0)
		behind = NULL;
	ctl_mount_release(&mount);
	return behind;
}

/* A daemon that writes to the store would refuse it there, too. */
static bool is_writable(const char *path)
{
	struct statvfs fs;

	return statvfs(path, &fs) == 0 && !(fs.f_flag & ST_RDONLY);
}

int ctl_mount_refuse(const char *path, struct dfs_err *err)
{
	struct ctl_mount mount = { 0 };
	DFS_AUTO(mem) char *behind = NULL;
	int ret = ctl_mount_find(path, &mount);

	if (ret <= 0)
		return ret < 0 ? dfs_fail(err, -ret, "%s: %s", path, strerror(-ret)) : 0;
	if (is_writable(path))
		ret = dfs_fail(err, EBUSY, "%s is in a mount that writes to its store, and so would this: unmount %s first",
			       path, mount.point);
	ctl_mount_release(&mount);
	if (ret < 0)
		return ret;
	behind = ctl_mount_behind(path, err);
	return behind ? dfs_fail(err, EBUSY, "%s is in a mount, and this works on the store: use %s", path, behind) : -EBUSY;
}

/* The path of "@dir/@rest" in @store. Return: 1; 0: not in a mount of it; -ENOMEM. */
static int own_path(const char *dir, const char *rest, const char *store, char **ret_path)
{
	struct ctl_mount mount = { 0 };
	DFS_AUTO(mem) char *full = realpath(dir, NULL);
	int ret = full ? ctl_mount_find(full, &mount) : 0;

	if (ret > 0)
		ret = !strcmp(mount.store, store) && strcmp(mount.point, store);
	if (ret > 0 && asprintf(ret_path, "%s%s%s%s", store, full + strlen(mount.point), *rest ? "/" : "", rest) < 0)
		ret = -ENOMEM;
	ctl_mount_release(&mount);
	return ret;
}

char *ctl_mount_own(const char *path, const char *store)
{
	const char *slash = strrchr(path, '/');
	DFS_AUTO(mem) char *dir = !slash ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);
	char *own = NULL;
	int ret = dir ? own_path(dir, slash ? slash + 1 : path, store, &own) : -ENOMEM;

	if (ret == 0)
		ret = own_path(path, "", store, &own);
	if (ret > 0)
		return own;
	return ret == -ENOMEM ? NULL : strdup(path);
}
