/* SPDX-License-Identifier: GPL-2.0-or-later */
/* allowance: memory that threads share, each of which needs much of it for a while. */
#ifndef DFS_WRITE_ALLOWANCE_H
#define DFS_WRITE_ALLOWANCE_H

#include <pthread.h>
#include <stddef.h>

struct dfs_allowance {
	size_t most;
	size_t taken;	/* under lock, as below */
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

void dfs_allowance_init(struct dfs_allowance *allowance, size_t most);
void dfs_allowance_release(struct dfs_allowance *allowance);

/* dfs_allowance_take() - wait until @bytes more are within the bound, or nobody has any: what is larger goes alone */
void dfs_allowance_take(struct dfs_allowance *allowance, size_t bytes);
void dfs_allowance_give(struct dfs_allowance *allowance, size_t bytes);

#endif
