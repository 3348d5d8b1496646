/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuse/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/auto.h"

/* Taken away by the kernel when the file system's user is not root any more, and needed still. */
#define NEEDED (DFS_CAP(CAP_DAC_OVERRIDE) | DFS_CAP(CAP_FSETID) | DFS_CAP(CAP_MKNOD))

void dfs_caller_begin(struct dfs_caller *caller, fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct dfs_caps caps;

	/* The umask is the process's unless a thread has one of its own; costs nothing once it has. */
	unshare(CLONE_FS);
	caller->umask = umask(ctx->umask);
	caller->changed = geteuid() == 0 && (ctx->uid || ctx->gid) && dfs_caps_save(&caller->caps) == 0;
	if (!caller->changed)
		return;
	setfsgid(ctx->gid);
	setfsuid(ctx->uid);
	caps = caller->caps;
	caps.effective &= NEEDED;
	dfs_caps_restore(&caps);
}

void dfs_caller_end(struct dfs_caller *caller)
{
	if (caller->changed) {
		setfsuid(0);
		setfsgid(0);
		dfs_caps_restore(&caller->caps);
	}
	umask(caller->umask);
}

/* --- what the kernel does not say of him */

bool dfs_caller_in_group(fuse_req_t req, gid_t group)
{
	gid_t groups[NGROUPS_MAX];
	int n;

	if (fuse_req_ctx(req)->gid == group)
		return true;
	n = fuse_req_getgroups(req, NGROUPS_MAX, groups);
	for (int i = 0; i < n && i < NGROUPS_MAX; i++)
		if (groups[i] == group)
			return true;
	return false;
}

bool dfs_caller_has(fuse_req_t req, int cap)
{
	static const char name[] = "\nCapEff:";
	char path[64], text[4096];
	DFS_AUTO(fd) int fd = -1;
	const char *at;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)fuse_req_ctx(req)->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return false;
	text[n] = '\0';
	at = strstr(text, name);
	return at && strtoull(at + strlen(name), NULL, 16) & DFS_CAP(cap);
}

/* --- another user */

#define GROUPS_MAX 1024

/* Of this thread alone: the library would change all of them. */
static int set_groups(size_t n, const gid_t *groups)
{
	return syscall(SYS_setgroups, n, groups) < 0 ? -errno : 0;
}

static int groups_save(struct dfs_other *other)
{
	int n = getgroups(0, NULL);

	other->groups = calloc((size_t)(n > 0 ? n : 0) + 1, sizeof(*other->groups));
	if (n < 0 || !other->groups)
		return -ENOMEM;
	other->n_groups = getgroups(n, other->groups);
	return other->n_groups < 0 ? -errno : 0;
}

/* A user whom the name service does not know has none but @gid. */
static int groups_become(uid_t uid, gid_t gid)
{
	gid_t groups[GROUPS_MAX] = { gid };
	char text[4096];
	struct passwd entry, *found = NULL;
	int n = GROUPS_MAX;

	if (getpwuid_r(uid, &entry, text, sizeof(text), &found) != 0 || !found)
		return set_groups(1, groups);
	if (getgrouplist(entry.pw_name, entry.pw_gid, groups, &n) < 0)
		n = GROUPS_MAX; /* more than that: those that fitted */
	return set_groups((size_t)n, groups);
}

static int become(struct dfs_other *other, uid_t uid, gid_t gid)
{
	struct dfs_caps none = { 0, other->caps.permitted };
	int ret = groups_become(uid, gid);

	if (ret < 0)
		return ret;
	other->changed = true;
	setfsgid(gid);
	setfsuid(uid);
	ret = dfs_caps_restore(&none);
	/* Neither says whether it did it, but what it was before. */
	if (ret == 0 && ((uid_t)setfsuid((uid_t)-1) != uid || (gid_t)setfsgid((gid_t)-1) != gid))
		ret = -EPERM;
	return ret;
}

int dfs_other_begin(struct dfs_other *other, uid_t uid, gid_t gid)
{
	int ret = 0;

	*other = (struct dfs_other){ 0 };
	if (uid == geteuid())
		return 0;
	if (geteuid() != 0)
		return -EPERM;
	ret = groups_save(other);
	if (ret == 0)
		ret = dfs_caps_save(&other->caps);
	if (ret == 0)
		ret = become(other, uid, gid);
	if (ret < 0)
		dfs_other_end(other);
	return ret;
}

void dfs_other_end(struct dfs_other *other)
{
	if (other->changed) {
		setfsuid(geteuid());
		setfsgid(getegid());
		dfs_caps_restore(&other->caps);
		set_groups((size_t)other->n_groups, other->groups);
	}
	free(other->groups);
	other->groups = NULL;
}
