/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/mark.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "util/caps.h"

const struct dfs_mark dfs_mark_exact = { "trusted.deltafs.exact", "user.deltafs.keep-exact" };

bool dfs_mark_has(const struct dfs_mark *mark, int fd)
{
	DFS_AUTO(raised) int raised = dfs_caps_raise(CAP_SYS_ADMIN);

	return fgetxattr(fd, mark->trusted, NULL, 0) >= 0 || fgetxattr(fd, mark->user, NULL, 0) >= 0;
}

/* Where the kernel refuses trusted.* (a user namespace), the user.* name. */
int dfs_mark_set(const struct dfs_mark *mark, int fd)
{
	DFS_AUTO(raised) int raised = dfs_caps_raise(CAP_SYS_ADMIN);

	if (fsetxattr(fd, mark->trusted, "", 0, 0) == 0 || fsetxattr(fd, mark->user, "", 0, 0) == 0)
		return 0;
	return -errno;
}

static int clear(int fd, const char *name)
{
	return fremovexattr(fd, name) < 0 && errno != ENODATA && errno != ENOTSUP && errno != EPERM ? -errno : 0;
}

int dfs_mark_clear(const struct dfs_mark *mark, int fd)
{
	DFS_AUTO(raised) int raised = dfs_caps_raise(CAP_SYS_ADMIN);
	int ret = clear(fd, mark->trusted);

	return ret < 0 ? ret : clear(fd, mark->user);
}

bool dfs_mark_is(const struct dfs_mark *mark, const char *name)
{
	return strcmp(name, mark->trusted) == 0 || strcmp(name, mark->user) == 0;
}
