/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bdi: how much the kernel reads of this mount at once, and holds back of what is written to it.
 *
 * FUSE starts at 128 KiB of readahead, and two such requests are all that one
 * reader of a mapping ever has under way; and at a hundredth of the memory
 * that may be dirty, with which a writer stops and goes. The mount's own
 * entry in /sys can raise both; that takes root, and the kernel must have
 * finished setting up the mount, which it has when the first stat() is answered.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "util/auto.h"
#include "util/io.h"

/*
 * Percent of all that may wait to be written. A copy of 4 GiB took 3.3 s with
 * 5, 3.2 s with 10, 3.0 s with 20: the disk stands still while the writer
 * waits. But with 10, 400 MB of 24 GB, a memory cgroup of 256 MiB is full of
 * what is to be written, and who writes it finds no memory: dd did not end
 * (tests/faults/a9_writeback.sh).
 */
#define DIRTY_PERCENT 4

static void set(const struct dfs_mount *mount, const char *name, size_t value)
{
	dev_t dev = atomic_load(&mount->dev);
	DFS_AUTO(fd) int fd = -1;
	char path[64], text[32];
	int n;

	snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/%s", major(dev), minor(dev), name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = snprintf(text, sizeof(text), "%zu\n", value);
	if (dfs_write_all(fd, text, (size_t)n) < 0)
		dfs_log_line(mount->log, DFS_LOG_INFO, "%s: not set to %zu", path, value);
}

void dfs_bdi_tune(const struct dfs_mount *mount)
{
	if (mount->readahead_bytes)
		set(mount, "read_ahead_kb", mount->readahead_bytes >> 10);
	if (mount->writeback)
		set(mount, "max_ratio", DIRTY_PERCENT);
}
