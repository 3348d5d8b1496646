/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reply: errors, as applications expect them.
 */
#include <errno.h>

#include "fuse/internal.h"

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

void dfs_reply_failure(fuse_req_t req, int ret, const struct dfs_err *err)
{
	dfs_log_line(dfs_mount_of(req)->log, DFS_LOG_ERROR, "%s", err->text);
	dfs_reply_error(req, ret);
}
