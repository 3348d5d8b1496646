/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuse/caller.h"

#include <sched.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

/* Taken away by the kernel when the file system's user is not root any more, and needed still. */
#define NEEDED (DFS_CAP(CAP_DAC_OVERRIDE) | DFS_CAP(CAP_FSETID) | DFS_CAP(CAP_MKNOD))

void dfs_caller_begin(struct dfs_caller *caller, fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);
	struct dfs_caps caps;

	/* The umask is the process's unless a thread has one of its own; costs nothing once it has. */
	unshare(CLONE_FS);
	caller->umask = umask(ctx->umask);
	caller->changed = geteuid() == 0 && (ctx->uid || ctx->gid) && dfs_caps_save(&caller->caps) == 0;
	if (!caller->changed)
		return;
	setfsgid(ctx->gid);
	setfsuid(ctx->uid);
	caps = caller->caps;
	caps.effective &= NEEDED;
	dfs_caps_restore(&caps);
}

void dfs_caller_end(struct dfs_caller *caller)
{
	if (caller->changed) {
		setfsuid(0);
		setfsgid(0);
		dfs_caps_restore(&caller->caps);
	}
	umask(caller->umask);
}
