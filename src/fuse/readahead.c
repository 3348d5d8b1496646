/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * readahead: how much the kernel reads from this mount at once.
 *
 * FUSE starts at 128 KiB, and two such requests are all that one reader of a
 * mapping ever has under way. The mount's own entry in /sys can raise it; that
 * takes root, and the kernel must have finished setting up the mount, which
 * it has when the first stat() is answered.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "util/auto.h"
#include "util/io.h"

void dfs_readahead_raise(struct dfs_mount *mount)
{
	DFS_AUTO(fd) int fd = -1;
	char path[64], text[32];
	struct stat st;
	int n;

	if (!mount->readahead_bytes || stat(mount->mountpoint, &st) < 0)
		return;
	snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb", major(st.st_dev), minor(st.st_dev));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = snprintf(text, sizeof(text), "%zu\n", mount->readahead_bytes >> 10);
	if (dfs_write_all(fd, text, (size_t)n) < 0)
		dfs_log_line(mount->log, DFS_LOG_INFO, "%s: not set to %zu KiB", path, mount->readahead_bytes >> 10);
}
