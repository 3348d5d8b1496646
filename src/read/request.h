/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * request: one dfs_view_submit() on its way: waits for its chunks without a
 * thread of its own, then answers.
 */
#ifndef DFS_READ_REQUEST_H
#define DFS_READ_REQUEST_H

#include "read/cache.h"

/*
 * cache->lock held:
 */

/* dfs_requests_serve() - a chunk is there or failed; requests that miss no other are put before *@ready */
void dfs_requests_serve(struct dfs_wait *waits, int ret, const struct dfs_err *err, struct dfs_request **ready);

/* dfs_requests_admit() - let parked requests in for which there is room now */
void dfs_requests_admit(struct dfs_cache *cache, struct dfs_request **ready);

/*
 * No lock held:
 */

/* dfs_requests_end() - answer a list of requests whose chunks are all there, and those that their end lets in */
void dfs_requests_end(struct dfs_request *ready);

#endif
