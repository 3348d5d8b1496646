/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attributes: what a file is besides its bytes, carried over to its successor.
 *
 * The order keeps every instant at most as open as the old file: first what
 * only the owner's write permission allows (user.* attributes), then the
 * owner's mode bits, the owner, what a change of owner would have cleared
 * (ACLs, capabilities), the mode, and the times last.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "store/claim.h"
#include "store/internal.h"
#include "store/publish.h"
#include "util/caps.h"

static const char acl[] = "system.posix_acl_access";

/* A list or a value of whatever length; it may grow between the two calls. */
static ssize_t xattr_all(int fd, const char *name, char **ret_value)
{
	for (;;) {
		DFS_AUTO(mem) char *value = NULL;
		ssize_t size = name ? fgetxattr(fd, name, NULL, 0) : flistxattr(fd, NULL, 0);
		ssize_t n;

		if (size < 0)
			return -errno;
		value = malloc((size_t)size + 1);
		if (!value)
			return -ENOMEM;
		n = name ? fgetxattr(fd, name, value, (size_t)size) :
			   flistxattr(fd, value, (size_t)size);
		if (n < 0 && errno == ERANGE)
			continue;
		if (n < 0)
			return -errno;
		value[n] = '\0';
		*ret_value = dfs_steal(&value);
		return n;
	}
}

/* Attributes that a change of owner clears, or that only make sense after it. */
static bool belongs_after_owner(const char *name)
{
	return strncmp(name, "security.", 9) == 0 || strncmp(name, "system.", 7) == 0;
}

static int copy_one(int from, int to, const char *name, struct dfs_err *err)
{
	DFS_AUTO(mem) char *value = NULL;
	DFS_AUTO(mem) char *there = NULL;
	ssize_t len = xattr_all(from, name, &value);
	ssize_t there_len;

	if (len == -ENODATA)
		return 0;
	if (len < 0)
		return dfs_fail(err, (int)-len, "attribute %s: %s", name, strerror((int)-len));
	/* a label that the new file was born with needs no right to be set */
	there_len = xattr_all(to, name, &there);
	if (there_len == len && memcmp(there, value, (size_t)len) == 0)
		return 0;
	if (fsetxattr(to, name, value, (size_t)len, 0) == 0)
		return 0;
	if (errno == EPERM)
		return dfs_fail(err, EPERM, "attribute %s cannot be kept by this user", name);
	return dfs_fail_errno(err, "attribute %s", name);
}

static int copy_xattrs(int from, int to, const char *names, ssize_t len, bool after_owner,
		       struct dfs_err *err)
{
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		int ret;

		if (dfs_is_mark(name) || belongs_after_owner(name) != after_owner)
			continue;
		ret = copy_one(from, to, name, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int copy_owner(const struct stat *st, int to, struct dfs_err *err)
{
	struct stat now;

	if (fstat(to, &now) < 0)
		return dfs_fail_errno(err, "fstat");
	if (now.st_uid == st->st_uid && now.st_gid == st->st_gid)
		return 0;
	if (fchown(to, st->st_uid, st->st_gid) == 0)
		return 0;
	if (errno == EPERM)
		return dfs_fail(err, EPERM, "owner %u:%u cannot be kept by this user",
				(unsigned)st->st_uid, (unsigned)st->st_gid);
	return dfs_fail_errno(err, "fchown");
}

int dfs_attributes_copy(int from, const struct stat *st, int to, struct dfs_err *err)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	DFS_AUTO(raised) int raised = dfs_caps_raise(CAP_SYS_ADMIN); /* trusted.* */
	DFS_AUTO(mem) char *names = NULL;
	ssize_t len = xattr_all(from, NULL, &names);
	int ret;

	if (len == -ENOTSUP)
		len = 0;
	if (len < 0)
		return dfs_fail(err, (int)-len, "list of attributes: %s", strerror((int)-len));
	ret = copy_xattrs(from, to, names, len, false, err);
	if (ret < 0)
		return ret;
	if (fchmod(to, st->st_mode & 0700) < 0)
		return dfs_fail_errno(err, "fchmod");
	ret = copy_owner(st, to, err);
	if (ret < 0)
		return ret;
	/* the directory may have lent the new file an ACL that the old one does not have */
	if (fremovexattr(to, acl) < 0 && errno != ENODATA && errno != ENOTSUP)
		return dfs_fail_errno(err, "remove ACL");
	ret = copy_xattrs(from, to, names, len, true, err);
	if (ret < 0)
		return ret;
	if (fchmod(to, st->st_mode & 07777) < 0)
		return dfs_fail_errno(err, "fchmod");
	if (futimens(to, times) < 0)
		return dfs_fail_errno(err, "futimens");
	return 0;
}

void dfs_attributes_offer(int from, const struct stat *st, int to)
{
	const struct timespec times[2] = { st->st_atim, st->st_mtim };
	mode_t mode = st->st_mode & 0777;
	bool group_kept = fgetxattr(from, acl, NULL, 0) <= 0;
	struct stat now;

	if (dfs_attributes_copy(from, st, to, NULL) == 0)
		return;
	if (fstat(to, &now) < 0 || (now.st_gid != st->st_gid && fchown(to, (uid_t)-1, st->st_gid) < 0))
		group_kept = false;
	/* another group, or what an ACL kept from this one: it may what all may */
	if (!group_kept)
		mode &= 0707 | (mode & 07) << 3;
	if (fchmod(to, mode) == 0)
		futimens(to, times);
}
