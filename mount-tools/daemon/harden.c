/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harden.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "util/auto.h"
#include "util/caps.h"
#include "util/io.h"

/*
 * At work all the time: what acting on the files of all users takes.
 *	DAC_OVERRIDE	the kernel has checked already (default_permissions), with all of the caller's groups
 *	CHOWN, FOWNER, FSETID	a file that takes another's place keeps its owner, mode and times
 *	SETUID, SETGID	files are made as whoever makes them; libfuse looks at /etc/mtab as the caller
 *	MKNOD		devices, where the mount allows them
 */
#define AT_WORK                                                                             \
	(DFS_CAP(CAP_DAC_OVERRIDE) | DFS_CAP(CAP_CHOWN) | DFS_CAP(CAP_FOWNER) | DFS_CAP(CAP_FSETID) | \
	 DFS_CAP(CAP_SETUID) | DFS_CAP(CAP_SETGID) | DFS_CAP(CAP_MKNOD))

/*
 * Raised by a thread for one call.
 *	SYS_ADMIN	mounting and unmounting, trusted.* attributes
 *	DAC_READ_SEARCH	opening by file handle
 *
 * Not among them: SYS_RESOURCE, since with it disk quotas and reserved blocks
 * are nothing to us, and a full disk would be filled for the users of the mount.
 */
#define RAISED (DFS_CAP(CAP_SYS_ADMIN) | DFS_CAP(CAP_DAC_READ_SEARCH))

int harden(struct dfs_err *err)
{
	static const char score[] = "-500\n";
	DFS_AUTO(fd) int fd = -1;
	int ret;

	if (geteuid() != 0)
		return 0;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)dfs_write_all(fd, score, strlen(score)); /* not allowed in most containers */
	ret = dfs_caps_limit(AT_WORK, RAISED);
	return ret < 0 ? dfs_fail(err, -ret, "rights of root cannot be given up: %s", strerror(-ret)) : 0;
}
