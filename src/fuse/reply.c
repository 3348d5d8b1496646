/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reply: errors, as applications expect them.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "fuse/internal.h"
#include "util/hash.h"

/*
 * The same sentence is not logged again before this. A client that reads a
 * damaged chunk page by page would otherwise use up the log's lines for all.
 */
#define REPEAT_S 2

void dfs_reply_error(fuse_req_t req, int ret)
{
	switch (ret) {
	case -EUCLEAN:
	case -EBADMSG:
		ret = -EIO;
		break;
	default:
		break;
	}
	fuse_reply_err(req, ret < 0 ? -ret : EIO);
}

void dfs_reply_result(fuse_req_t req, int ret)
{
	if (ret < 0)
		dfs_reply_error(req, ret);
	else
		fuse_reply_err(req, 0);
}

static bool said_just_now(struct dfs_mount *mount, const char *text)
{
	uint64_t hash = dfs_hash64(text, strlen(text), 0);
	struct dfs_said *slot = &mount->said[hash % DFS_SAID];
	struct timespec now;
	bool again;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	pthread_mutex_lock(&mount->lock);
	again = slot->hash == hash && now.tv_sec - slot->when < REPEAT_S;
	if (!again)
		*slot = (struct dfs_said){ hash, now.tv_sec };
	pthread_mutex_unlock(&mount->lock);
	return again;
}

void dfs_reply_failure(fuse_req_t req, int ret, const struct dfs_err *err)
{
	struct dfs_mount *mount = dfs_mount_of(req);

	if (*err->text && !said_just_now(mount, err->text))
		dfs_log_line(mount->log, DFS_LOG_ERROR, "%s", err->text);
	dfs_reply_error(req, ret);
}
