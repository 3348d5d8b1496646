/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mountpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "util/auto.h"
#include "util/mountinfo.h"

extern char **environ;

/* --- what is mounted there */

/* The pid of the daemon behind a mount, as it says itself; 0 if it does not. */
static long daemon_of(const char *path)
{
	char status[65536];
	ssize_t len = getxattr(path, "user.deltafs.status", status, sizeof(status) - 1);
	const char *at;

	if (len < 0)
		return 0;
	status[len] = '\0';
	at = strstr(status, "\"pid\":");
	return at ? strtol(at + strlen("\"pid\":"), NULL, 10) : 0;
}

/* --- a dead mount */

static int fusermount_detach(const char *path)
{
	const char *words[] = { "fusermount3", "-u", "-z", "-q", path, NULL };
	pid_t pid;
	int status;

	/* The words are not changed; the prototype is older than const. */
	if (posix_spawnp(&pid, words[0], NULL, NULL, (char *const *)words, environ) != 0)
		return -ENOENT;
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

static int detach_dead(const char *path, struct dfs_err *err)
{
	char type[64], source[4096];

	if (!dfs_mountinfo_find(path, type, source) || strcmp(type, "fuse.deltafs") != 0)
		return dfs_fail(err, ENOTCONN, "%s: a dead mount of another file system; unmount it first: umount -l %s", path, path);
	if (umount2(path, MNT_DETACH) == 0 || fusermount_detach(path) == 0)
		return 0;
	return dfs_fail(err, ENOTCONN, "%s: a dead mount that is not yours to detach; as root: umount -l %s", path, path);
}

/* --- the place */

/* The path without symlinks, also if a dead mount keeps realpath() from looking at its end. */
static char *resolve(const char *path)
{
	DFS_AUTO(mem) char *copy = NULL;
	DFS_AUTO(mem) char *parent = NULL;
	char *whole = realpath(path, NULL);
	char *slash;

	if (whole || errno != ENOTCONN)
		return whole;
	copy = strdup(path);
	if (!copy)
		return NULL;
	while ((slash = strrchr(copy, '/')) && slash > copy && !slash[1])
		*slash = '\0';
	if (slash)
		*slash = '\0';
	parent = realpath(!slash ? "." : *copy ? copy : "/", NULL);
	if (!parent || asprintf(&whole, "%s/%s", parent[1] ? parent : "", slash ? slash + 1 : copy) < 0)
		return NULL;
	return whole;
}

static int refuse_second(const char *path, struct dfs_err *err)
{
	char type[64], source[4096];
	char by[64] = "";
	long pid;

	if (!dfs_mountinfo_find(path, type, source) || strcmp(type, "fuse.deltafs") != 0)
		return 0;
	pid = daemon_of(path);
	if (pid)
		snprintf(by, sizeof(by), " by process %ld", pid);
	return dfs_fail(err, EBUSY, "%s: %s is mounted there already%s; unmount it first: umount %s", path, source, by, path);
}

/*
 * stat(2), and -ENOTCONN for a dead mount. For a second after its daemon died
 * the kernel still answers from what it was told; an attribute it never keeps.
 */
static int look(const char *path, struct stat *ret_st)
{
	if (stat(path, ret_st) < 0)
		return -errno;
	return getxattr(path, "user.deltafs.status", NULL, 0) < 0 && errno == ENOTCONN ? -ENOTCONN : 0;
}

int mountpoint_check(const char *path, char **ret_path, struct dfs_err *err)
{
	DFS_AUTO(mem) char *whole = resolve(path);
	struct stat st;
	int ret;

	if (!whole && errno == ENOENT)
		return dfs_fail(err, ENOENT, "%s: no such directory; make it first: mkdir -p %s", path, path);
	if (!whole)
		return dfs_fail_errno(err, "%s", path);
	ret = look(whole, &st);
	if (ret == -ENOTCONN) {
		ret = detach_dead(whole, err);
		if (ret < 0)
			return ret;
		ret = look(whole, &st);
	}
	if (ret < 0)
		return dfs_fail(err, -ret, "%s: %s", whole, strerror(-ret));
	if (!S_ISDIR(st.st_mode))
		return dfs_fail(err, ENOTDIR, "%s: not a directory; a store can only be mounted on one", whole);
	ret = refuse_second(whole, err);
	if (ret == 0)
		*ret_path = dfs_steal(&whole);
	return ret;
}

/* --- this process */

static bool in_path(const char *program)
{
	DFS_AUTO(mem) char *dirs = strdup(getenv("PATH") ? getenv("PATH") : "");
	char path[4096], *save = NULL;

	for (char *dir = dirs ? strtok_r(dirs, ":", &save) : NULL; dir; dir = strtok_r(NULL, ":", &save)) {
		snprintf(path, sizeof(path), "%s/%s", dir, program);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static bool others_allowed(void)
{
	DFS_AUTO(file) FILE *file = fopen("/etc/fuse.conf", "re");
	char line[256], word[64];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, " %63s", word) == 1 && strcmp(word, "user_allow_other") == 0)
			return true;
	return false;
}

int mountpoint_able(bool allow_other, struct dfs_err *err)
{
	if (access("/dev/fuse", F_OK) < 0)
		return dfs_fail(err, ENODEV, "there is no /dev/fuse: load the kernel's module (modprobe fuse), or give the container the device (--device /dev/fuse --cap-add SYS_ADMIN)");
	if (access("/dev/fuse", R_OK | W_OK) < 0)
		return dfs_fail(err, errno, "/dev/fuse: %s; give this user access to it", strerror(errno));
	if (geteuid() == 0)
		return 0;
	if (!in_path("fusermount3"))
		return dfs_fail(err, ENOENT, "fusermount3 is not installed, and without root it does the mounting: apt install fuse3");
	if (allow_other && !others_allowed())
		return dfs_fail(err, EPERM, "option allow_other: not allowed to users here; add the line user_allow_other to /etc/fuse.conf");
	return 0;
}
