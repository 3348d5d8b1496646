/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link: readlink. The text is the kernel's to resolve, with the caller's rights.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "util/auto.h"

static int read_link(struct dfs_mount *mount, struct dfs_node *node, char text[PATH_MAX + 1])
{
	DFS_AUTO(fd) int fd = -1;
	ssize_t len;
	int ret = dfs_node_open(&mount->nodes, mount->store, node, O_PATH, &fd, NULL);

	if (ret < 0)
		return ret;
	len = readlinkat(fd, "", text, PATH_MAX);
	if (len < 0)
		return -errno;
	text[len] = '\0';
	return 0;
}

void dfs_op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_node *node = dfs_node_get(&mount->nodes, ino);
	char text[PATH_MAX + 1];
	int ret = node ? read_link(mount, node, text) : -ESTALE;

	dfs_node_put(&mount->nodes, node);
	if (ret < 0)
		dfs_reply_error(req, ret);
	else
		fuse_reply_readlink(req, text);
}
