/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * write: content that changes: write, size, fallocate.
 *
 * A WRITE does not wait: into a plain file it goes where it comes in, and so
 * into the plain form of a container. What must wait (a size, room, a base
 * whose bytes are kept first) does so in another thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/copied.h"
#include "fuse/internal.h"
#include "fuse/later.h"
#include "store/mark.h"
#include "store/plain_mark.h"
#include "util/io.h"

/* --- write */

static ssize_t write_plain(struct dfs_mount *mount, struct dfs_open *open, struct dfs_content *content, const char *buf,
			   size_t size, off_t off)
{
	int ret;

	if (dfs_direct_write(&mount->direct, content, buf, size, off))
		return (ssize_t)size;
	ret = dfs_pwrite_all(dfs_content_fd(content), buf, size, (uint64_t)off);
	if (ret < 0)
		return ret;
	dfs_push_written(mount, open, content, off + (off_t)size);
	return (ssize_t)size;
}

/* Return: bytes; -errno; -EAGAIN: only where blocking is allowed. */
static ssize_t write_content(struct dfs_mount *mount, struct dfs_open *open, struct dfs_content *content, const char *buf,
			     size_t size, off_t off, struct dfs_err *err)
{
	int fd = dfs_content_fd(content), ret;

	if (atomic_load(&content->pinned) || atomic_load(&open->copying) || (!content->thaw && !dfs_content_is_plain(content)))
		return -EAGAIN;
	ret = dfs_plain_mark_wanted(fd, buf, size, (uint64_t)off);
	if (ret != 0)
		return ret < 0 ? ret : -EAGAIN;
	if (content->thaw)
		return dfs_thaw_write(content->thaw, buf, size, (uint64_t)off, err);
	return write_plain(mount, open, content, buf, size, off);
}

/* What was written in the end: a thaw that has just begun has its end seen to. */
static void reply_written(fuse_req_t req, struct dfs_open *open, struct dfs_content *content, ssize_t n,
			  const struct dfs_err *err)
{
	if (n >= 0 && content && content->thaw) {
		/* Once: each time puts off that the plain form is put in place. */
		if (!atomic_exchange(&content->touched, true))
			dfs_container_touch(dfs_mount_of(req), dfs_view_fd(content->view));
		dfs_open_thawing(dfs_mount_of(req), open, content);
	}
	if (n >= 0)
		fuse_reply_write(req, (size_t)n);
	else
		dfs_reply_failure(req, (int)n, err);
}

static ssize_t write_slowly(struct dfs_later *later, struct dfs_content **ret_content, struct dfs_err *err)
{
	struct dfs_content *content;
	int ret = dfs_open_arm(later->mount, later->open, err);

	*ret_content = NULL;
	if (ret < 0)
		return ret;
	content = *ret_content = dfs_content_get(later->mount, later->open);
	if (!content->thaw) {
		dfs_content_put(later->mount, content);
		*ret_content = NULL;
		ret = dfs_open_settle(later->mount, later->open, true, ret_content, err);
		if (ret < 0)
			return ret;
		content = *ret_content;
	}
	ret = dfs_plain_mark_guard(dfs_content_fd(content), later->data, later->len, (uint64_t)later->off);
	if (ret < 0)
		return ret;
	if (content->thaw)
		return dfs_thaw_write_slowly(content->thaw, later->data, later->len, (uint64_t)later->off, err);
	ret = dfs_pwrite_all(dfs_content_fd(content), later->data, later->len, (uint64_t)later->off);
	return ret < 0 ? ret : (ssize_t)later->len;
}

static void write_run(struct dfs_later *later)
{
	struct dfs_content *content;
	struct dfs_err err = { "" };
	ssize_t n = write_slowly(later, &content, &err);

	reply_written(later->req, later->open, content, n, &err);
	dfs_content_put(later->mount, content);
}

static void write_later(fuse_req_t req, struct dfs_open *open, const char *buf, size_t size, off_t off)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_later later = { .mount = mount, .req = req, .run = write_run, .off = off, .len = size, .data = malloc(size) };

	if (!later.data) {
		dfs_reply_error(req, -ENOMEM);
		return;
	}
	memcpy(later.data, buf, size);
	later.open = dfs_handle_hold(mount, open);
	later.waits = DFS_WAITS_PIN;
	later.pool = mount->mixed;
	dfs_later(&later);
}

void dfs_op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_open *open = dfs_open_of(fi);
	struct dfs_content *content = dfs_content_get(mount, open);
	struct dfs_err err = { "" };
	ssize_t n;

	(void)ino;
	dfs_notice_writing(mount, open);
	/* What the kernel wrote back is of a file that has no such bits. */
	n = fi->writepage ? 0 : dfs_set_id_drop_open(req, open);
	if (n == 0)
		n = write_content(mount, open, content, buf, size, off, &err);
	if (n == -EAGAIN)
		write_later(req, open, buf, size, off);
	else
		reply_written(req, open, content, n, &err);
	dfs_content_put(mount, content);
}

/* --- sizes and room */

int dfs_open_resize(struct dfs_mount *mount, struct dfs_open *open, off_t size, struct dfs_err *err)
{
	struct dfs_content *content;
	struct dfs_look look;
	int ret;

	dfs_notice_writing(mount, open);
	if (size == 0)
		dfs_copied_forget(mount, open);
	dfs_push_cut(open, size);
	ret = dfs_open_settle(mount, open, true, &content, err);
	if (ret < 0)
		return ret;
	dfs_node_change(&mount->nodes, open->node);
	if (ftruncate(dfs_content_fd(content), size) < 0)
		ret = -errno;
	if (ret == 0 && size == 0) {
		(void)dfs_mark_clear(&dfs_mark_exact, dfs_content_fd(content)); /* what comes is new; the mark is too careful then */
		dfs_keeper_emptied(mount->keeper, dfs_content_fd(content));
	}
	dfs_node_changed(&mount->nodes, open->node, dfs_look_take(&mount->nodes, dfs_content_fd(content), &look));
	dfs_content_put(mount, content);
	return ret;
}

static void fallocate_run(struct dfs_later *later)
{
	struct dfs_content *content;
	struct dfs_err err = { "" };
	int ret;

	dfs_notice_writing(later->mount, later->open);
	ret = dfs_set_id_drop_open(later->req, later->open);
	if (ret == 0)
		ret = dfs_open_settle(later->mount, later->open, true, &content, &err);
	if (ret < 0) {
		dfs_reply_failure(later->req, ret, &err);
		return;
	}
	if (fallocate(dfs_content_fd(content), later->flag, later->off, (off_t)later->len) < 0)
		ret = -errno;
	dfs_content_put(later->mount, content);
	dfs_reply_result(later->req, ret);
}

void dfs_op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len, struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	const struct dfs_later later = {
		.mount = mount, .req = req, .run = fallocate_run, .open = dfs_handle_hold(mount, dfs_open_of(fi)),
		.waits = DFS_WAITS_PLAIN, .flag = mode, .off = off, .len = (size_t)len,
	};

	(void)ino;
	dfs_later(&later);
}
