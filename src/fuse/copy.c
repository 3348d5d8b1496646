/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * copy: copy_file_range. What a container is copied to: copied.h.
 */
#include <errno.h>
#include <unistd.h>

#include "fuse/copied.h"
#include "fuse/internal.h"
#include "fuse/later.h"
#include "store/plain_mark.h"
#include "util/io.h"

/* Bytes that could make the file look like a container go through a buffer, and past the guard. */
#define GUARDED 4096

struct copying {
	int from, to;
	off_t from_off, to_off;
	size_t len;
	unsigned flags;
};

static ssize_t copy_guarded(const struct copying *c)
{
	char buf[GUARDED];
	ssize_t got = dfs_pread_some(c->from, buf, c->len < GUARDED ? c->len : GUARDED, (uint64_t)c->from_off);
	int ret = got < 0 ? (int)got : dfs_plain_mark_guard(c->to, buf, (size_t)got, (uint64_t)c->to_off);

	if (ret == 0)
		ret = dfs_pwrite_all(c->to, buf, (size_t)got, (uint64_t)c->to_off);
	return ret < 0 ? ret : got;
}

static ssize_t copy(struct copying *c)
{
	ssize_t done = 0;

	if (c->to_off < DFS_PLAIN_MARK_RANGE) {
		done = copy_guarded(c);
		if (done < GUARDED)
			return done;
		c->from_off += done;
		c->to_off += done;
	}
	while ((size_t)done < c->len) {
		ssize_t n = copy_file_range(c->from, &c->from_off, c->to, &c->to_off, c->len - (size_t)done, c->flags);

		if (n < 0)
			return done ? done : -errno;
		if (n == 0)
			break;
		done += n;
	}
	return done;
}

/* EXDEV has the kernel copy by reading and writing. */
static ssize_t copy_container(struct dfs_later *later, struct dfs_content *from, struct dfs_err *err)
{
	if ((from->thaw && dfs_thaw_begun(from->thaw)) || later->off != later->other_off)
		return -EXDEV;
	if (!later->len || later->off < 0 || (uint64_t)later->off >= dfs_view_size(from->view))
		return 0;
	dfs_notice_writing(later->mount, later->other);
	return dfs_copied_piece(later->mount, later->other, from, (uint64_t)later->off, later->len, err);
}

static ssize_t copy_plain(struct dfs_later *later, struct dfs_content *from, struct dfs_err *err)
{
	struct copying c = {
		.from_off = later->off, .to_off = later->other_off, .len = later->len, .flags = (unsigned)later->flag,
	};
	struct dfs_content *to;
	ssize_t n;

	dfs_notice_writing(later->mount, later->other);
	n = dfs_open_settle(later->mount, later->other, true, &to, err);
	if (n < 0)
		return n;
	c.from = dfs_content_fd(from);
	c.to = dfs_content_fd(to);
	n = copy(&c);
	dfs_content_put(later->mount, to);
	return n;
}

static void copy_run(struct dfs_later *later)
{
	struct dfs_mount *mount = later->mount;
	struct dfs_err err = { "" };
	struct dfs_content *from;
	ssize_t n = dfs_copied_settle(mount, later->open, &err);

	if (n == 0)
		n = dfs_set_id_drop_open(later->req, later->other);
	from = dfs_content_get(mount, later->open);
	if (n == 0)
		n = (dfs_content_is_plain(from) ? copy_plain : copy_container)(later, from, &err);
	if (n >= 0)
		fuse_reply_write(later->req, (size_t)n);
	else
		dfs_reply_failure(later->req, (int)n, &err);
	dfs_content_put(mount, from);
}

void dfs_op_copy_file_range(fuse_req_t req, fuse_ino_t from, off_t from_off, struct fuse_file_info *from_fi,
			    fuse_ino_t to, off_t to_off, struct fuse_file_info *to_fi, size_t len, int flags)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	const struct dfs_later later = {
		.mount = mount, .req = req, .run = copy_run,
		.open = dfs_handle_hold(mount, dfs_open_of(from_fi)), .off = from_off,
		.other = dfs_handle_hold(mount, dfs_open_of(to_fi)), .other_off = to_off,
		.waits = DFS_WAITS_PLAIN, .len = len, .flag = flags,
	};

	(void)from;
	(void)to;
	dfs_later(&later);
}
