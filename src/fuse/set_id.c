/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set_id: who changes what a program is takes its set-id bits away, unless he has CAP_FSETID.
 *
 * The kernel leaves it to us where it can (handshake.c), and by itself writes
 * nothing back later to a file that has such bits: each write of one comes as
 * it is made, from who makes it. Else it has sent the mode that is left before.
 * An owner's change is the store's own file system's matter.
 */
#include <errno.h>
#include <sys/stat.h>

#include "fuse/caller.h"
#include "fuse/internal.h"

/* As of Linux 6.2: without the group's x the bit of the group stays to who could set it. */
static mode_t bits_to_drop(fuse_req_t req, const struct stat *st)
{
	mode_t bits = st->st_mode & S_ISUID;

	if (st->st_mode & S_ISGID && (st->st_mode & S_IXGRP || !dfs_caller_in_group(req, st->st_gid)))
		bits |= S_ISGID;
	return bits && !dfs_caller_has(req, CAP_FSETID) ? bits : 0;
}

static int drop(fuse_req_t req, struct dfs_node *node, const struct stat *now)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	mode_t bits = bits_to_drop(req, now);
	struct stat st = *now;
	int ret;

	if (!bits)
		return 0;
	st.st_mode &= ~bits;
	ret = dfs_attr_set(mount, node, &st, FUSE_SET_ATTR_MODE);
	/* The kernel believes the old mode still, and would run the program by it. */
	if (ret == 0)
		fuse_lowlevel_notify_inval_inode(mount->session, node->number, -1, 0);
	return ret;
}

int dfs_set_id_drop(fuse_req_t req, struct dfs_node *node)
{
	struct stat st;
	int ret = dfs_attr_get(dfs_mount_of(req), node, &st);

	return ret < 0 ? ret : drop(req, node, &st);
}

int dfs_set_id_drop_open(fuse_req_t req, struct dfs_open *open)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_content *content = dfs_content_get(mount, open);
	struct stat st;
	int ret = fstat(dfs_view_fd(content->view), &st) < 0 ? -errno : 0;

	dfs_content_put(mount, content);
	return ret < 0 ? ret : drop(req, open->node, &st);
}
