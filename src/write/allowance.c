/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write/allowance.h"

void dfs_allowance_init(struct dfs_allowance *allowance, size_t most)
{
	*allowance = (struct dfs_allowance){ .most = most };
	pthread_mutex_init(&allowance->lock, NULL);
	pthread_cond_init(&allowance->changed, NULL);
}

void dfs_allowance_release(struct dfs_allowance *allowance)
{
	pthread_cond_destroy(&allowance->changed);
	pthread_mutex_destroy(&allowance->lock);
}

void dfs_allowance_take(struct dfs_allowance *allowance, size_t bytes)
{
	pthread_mutex_lock(&allowance->lock);
	while (allowance->taken && (allowance->taken > allowance->most || bytes > allowance->most - allowance->taken))
		pthread_cond_wait(&allowance->changed, &allowance->lock);
	allowance->taken += bytes;
	pthread_mutex_unlock(&allowance->lock);
}

void dfs_allowance_give(struct dfs_allowance *allowance, size_t bytes)
{
	pthread_mutex_lock(&allowance->lock);
	allowance->taken -= bytes;
	pthread_cond_broadcast(&allowance->changed);
	pthread_mutex_unlock(&allowance->lock);
}
