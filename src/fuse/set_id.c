/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set_id: who changes what a program is takes its set-id bits away, unless he is root.
 *
 * The kernel leaves it to us where it can (handshake.c), and by itself writes
 * nothing back later to a file that has such bits: each write of one comes as
 * it is made, from who makes it. Else it has sent the mode that is left before.
 * An owner's change is the store's own file system's matter.
 */
#include <errno.h>
#include <sys/stat.h>

#include "fuse/internal.h"

static mode_t bits_to_drop(mode_t mode)
{
	/* Without the group's x, the bit of the group is of mandatory locks. */
	return mode & (S_ISUID | (mode & S_IXGRP ? S_ISGID : 0));
}

static int drop(struct dfs_mount *mount, struct dfs_node *node, const struct stat *now)
{
	struct stat st = *now;
	int ret;

	st.st_mode &= ~bits_to_drop(now->st_mode);
	ret = dfs_attr_set(mount, node, &st, FUSE_SET_ATTR_MODE);
	/* The kernel believes the old mode still, and would run the program by it. */
	if (ret == 0)
		fuse_lowlevel_notify_inval_inode(mount->session, node->number, -1, 0);
	return ret;
}

int dfs_set_id_drop(fuse_req_t req, struct dfs_node *node)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct stat st;
	int ret;

	if (fuse_req_ctx(req)->uid == 0)
		return 0;
	ret = dfs_attr_get(mount, node, &st);
	return ret < 0 || !bits_to_drop(st.st_mode) ? ret : drop(mount, node, &st);
}

int dfs_set_id_drop_open(fuse_req_t req, struct dfs_open *open)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_content *content;
	struct stat st = { 0 };
	int ret;

	if (fuse_req_ctx(req)->uid == 0)
		return 0;
	content = dfs_content_get(mount, open);
	ret = fstat(dfs_view_fd(content->view), &st) < 0 ? -errno : 0;
	dfs_content_put(mount, content);
	return ret < 0 || !bits_to_drop(st.st_mode) ? ret : drop(mount, open->node, &st);
}
