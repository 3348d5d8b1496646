/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node_mtime: with the writeback cache the kernel keeps the mtime.
 *
 * It shows what it was told when it came to know the file, or what it has set
 * since, which it then tells us: after the bytes, before fsync(2) and close(2)
 * return. But a file that is made and written within one tick of its clock has
 * the right time already, as it sees it, and it tells nothing. The backing
 * file has that of the last bytes that came, which would show after a remount.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "fuse/node_table.h"

void dfs_node_mtime_told(struct dfs_nodes *nodes, struct dfs_node *node, struct timespec mtime)
{
	pthread_mutex_lock(&nodes->lock);
	node->mtime = mtime;
	atomic_store(&node->mtime_owed, false);
	dfs_nodes_unlock(nodes);
}

void dfs_node_mtime_pay(struct dfs_nodes *nodes, struct dfs_node *node, int fd)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
	bool owed = atomic_exchange(&node->mtime_owed, false);

	if (!owed)
		return;
	pthread_mutex_lock(&nodes->lock);
	times[1] = node->mtime;
	dfs_nodes_unlock(nodes);
	/* Whoever is told another meanwhile has set it already, or is about to. */
	while (owed) {
		futimens(fd, times);
		pthread_mutex_lock(&nodes->lock);
		owed = !dfs_time_same(times[1], node->mtime);
		times[1] = node->mtime;
		dfs_nodes_unlock(nodes);
	}
}
