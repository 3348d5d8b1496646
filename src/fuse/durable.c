/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * durable: flush and fsync. Both wait for a container that was written to:
 * what was closed or synced is in a file of the store by then.
 */
#include <errno.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "fuse/later.h"

/* @later->flag: how far */
enum { TO_FILE, TO_DISK, DATA_TO_DISK };

static int sync_content(const struct dfs_content *content, int how)
{
	int fd = dfs_content_fd(content);

	if (how == TO_FILE)
		return 0;
	return (how == DATA_TO_DISK ? fdatasync(fd) : fsync(fd)) < 0 ? -errno : 0;
}

static void sync_run(struct dfs_later *later)
{
	struct dfs_content *content;
	struct dfs_err err = { "" };
	int ret = dfs_open_settle(later->mount, later->open, false, &content, &err);

	if (ret < 0) {
		dfs_reply_failure(later->req, ret, &err);
		return;
	}
	if (later->mount->writeback)
		dfs_node_mtime_pay(&later->mount->nodes, later->open->node, dfs_content_fd(content));
	ret = sync_content(content, later->flag);
	dfs_content_put(later->mount, content);
	dfs_reply_result(later->req, ret);
}

static void sync_later(fuse_req_t req, struct fuse_file_info *fi, int how)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	const struct dfs_later later = {
		.mount = mount, .req = req, .run = sync_run, .open = dfs_handle_hold(mount, dfs_open_of(fi)),
		.waits = DFS_WAITS_BEGUN, .flag = how,
	};

	dfs_later(&later);
}

void dfs_op_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_content *content = dfs_content_get(mount, dfs_open_of(fi));

	(void)ino;
	if ((content->thaw && dfs_thaw_begun(content->thaw)) || atomic_load(&dfs_open_of(fi)->copying))
		sync_later(req, fi, TO_FILE);
	else
		fuse_reply_err(req, 0);
	dfs_content_put(mount, content);
}

void dfs_op_fsync(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *fi)
{
	(void)ino;
	sync_later(req, fi, data_only ? DATA_TO_DISK : TO_DISK);
}
