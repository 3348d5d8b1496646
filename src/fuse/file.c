/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file: open, read, release, lseek.
 *
 * A read of a container is submitted and answered by whoever has its last
 * chunk; one of a plain file is answered where it comes in (plain.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuse/copied.h"
#include "fuse/internal.h"
#include "fuse/later.h"
#include "util/auto.h"
#include "util/clock.h"
#include "util/io.h"

/* --- open and release */

/* The kernel's __FMODE_EXEC, which it hands over with the flags of open(2): to run a program from. */
#define OPENED_TO_RUN 040

static bool may_write(const struct fuse_file_info *fi)
{
	return (fi->flags & O_ACCMODE) != O_RDONLY;
}

/*
 * Of O_RDONLY | O_TRUNC alone the kernel asks whether a program runs from the
 * file only after we have opened it: too late, what runs would be gone.
 */
static bool is_running(struct dfs_mount *mount, struct dfs_node *node)
{
	struct dfs_open *open = dfs_open_find(mount, node);
	bool running = open && atomic_load(&open->running);

	if (open)
		dfs_open_end(mount, open, false);
	return running;
}

/* Nothing of what it held is ever decoded. */
int dfs_open_truncate(struct dfs_mount *mount, struct dfs_node *node, struct dfs_err *err)
{
	struct dfs_open *open;
	int ret = -ESTALE;

	if (dfs_node_is_container(&mount->nodes, node))
		ret = dfs_open_empty(mount, node, err);
	/* It may have become plain just then: it was thawing. */
	if (ret != -ESTALE || dfs_node_is_container(&mount->nodes, node))
		return ret;
	err->text[0] = '\0';
	ret = dfs_open_node(mount, node, true, &open, err);
	if (ret < 0)
		return ret;
	ret = dfs_open_resize(mount, open, 0, err);
	dfs_open_end(mount, open, true);
	return ret;
}

static void handle_end(struct dfs_mount *mount, const struct fuse_file_info *fi)
{
	struct dfs_open *open = dfs_open_of(fi);

	if (fi->flags & OPENED_TO_RUN)
		atomic_fetch_sub(&open->running, 1);
	dfs_open_end(mount, open, may_write(fi));
}

static void open_and_reply(fuse_req_t req, struct dfs_node *node, struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_err err = { "" };
	struct dfs_open *open;
	int ret = dfs_open_node(mount, node, may_write(fi), &open, &err);

	if (ret < 0) {
		dfs_trouble_note(mount, node->number, ret, err.text);
		dfs_reply_failure(req, ret, &err);
		return;
	}
	dfs_handle_fill(req, fi, open);
	if (fuse_reply_open(req, fi) < 0)
		handle_end(mount, fi); /* interrupted: no release will come */
}

static void truncate_run(struct dfs_later *later)
{
	struct dfs_err err = { "" };
	int ret = !may_write(&later->fi) && is_running(later->mount, later->node) ? -ETXTBSY : 0;

	if (ret == 0)
		ret = dfs_set_id_drop(later->req, later->node);
	if (ret == 0)
		ret = dfs_open_truncate(later->mount, later->node, &err);
	if (ret < 0)
		dfs_reply_failure(later->req, ret, &err);
	else
		open_and_reply(later->req, later->node, &later->fi);
}

void dfs_op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_node *node = dfs_node_get(&mount->nodes, ino);
	bool truncates = fi->flags & O_TRUNC;

	if (!node || (mount->read_only && (may_write(fi) || truncates)))
		dfs_reply_error(req, node ? -EROFS : -ESTALE);
	else if (truncates)
		dfs_later(&(struct dfs_later){ .mount = mount, .req = req, .run = truncate_run, .node = node, .fi = *fi });
	else
		open_and_reply(req, node, fi);
	if (!truncates || mount->read_only)
		dfs_node_put(&mount->nodes, node);
}

void dfs_handle_fill(fuse_req_t req, struct fuse_file_info *fi, struct dfs_open *open)
{
	if (may_write(fi))
		dfs_notice_opened(dfs_mount_of(req), open, fuse_req_ctx(req)->pid);
	if (fi->flags & OPENED_TO_RUN)
		atomic_fetch_add(&open->running, 1);
	fi->fh = (uintptr_t)open | (may_write(fi) ? DFS_HANDLE_WRITES : 0);
	fi->keep_cache = 1; /* another content is another node */
	fi->noflush = !may_write(fi);
}

void dfs_op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	handle_end(dfs_mount_of(req), fi);
	fuse_reply_err(req, 0);
}

/* --- attributes of what is open */

static uint64_t shown_size(const struct dfs_content *content)
{
	if (content->thaw)
		return dfs_thaw_size(content->thaw);
	return dfs_content_is_plain(content) ? DFS_SIZE_STORED : dfs_view_size(content->view);
}

int dfs_open_stat(struct dfs_mount *mount, struct dfs_node *node, struct dfs_node_look *ret_look)
{
	struct dfs_open *open = dfs_open_find(mount, node);
	struct dfs_content *content;
	struct dfs_look look;
	bool copied;
	int ret = 0;

	if (!open)
		return -ENOENT;
	content = dfs_content_get(mount, open);
	copied = dfs_copied_size(mount, open, &ret_look->shown_size);
	if (!dfs_look_take(&mount->nodes, dfs_view_fd(content->view), &look))
		ret = -errno;
	else if (!dfs_node_same(&mount->nodes, node, &look))
		ret = -ESTALE;
	ret_look->st = look.st;
	if (!copied)
		ret_look->shown_size = shown_size(content);
	dfs_content_put(mount, content);
	dfs_open_end(mount, open, false);
	return ret;
}

/* --- read */

struct read_request {
	struct dfs_read read;	/* first: read_done() gets its address */
	struct dfs_mount *mount;
	struct dfs_content *content;	/* referenced */
	fuse_req_t req;
	fuse_ino_t ino;
};

void dfs_reads_begin(struct dfs_mount *mount)
{
	pthread_mutex_lock(&mount->lock);
	mount->reads++;
	pthread_mutex_unlock(&mount->lock);
}

void dfs_reads_end(struct dfs_mount *mount)
{
	pthread_mutex_lock(&mount->lock);
	if (--mount->reads == 0)
		pthread_cond_broadcast(&mount->idle);
	pthread_mutex_unlock(&mount->lock);
}

size_t dfs_reads_wait(struct dfs_mount *mount, unsigned seconds)
{
	struct timespec end = dfs_clock_after(CLOCK_MONOTONIC, (int64_t)seconds * 1000);
	size_t left;
	int code = 0;

	pthread_mutex_lock(&mount->lock);
	while (mount->reads && !code)
		code = pthread_cond_clockwait(&mount->idle, &mount->lock, CLOCK_MONOTONIC, &end);
	left = mount->reads;
	pthread_mutex_unlock(&mount->lock);
	return left;
}

static void fail_read(fuse_req_t req, fuse_ino_t ino, int ret, const struct dfs_err *err)
{
	dfs_trouble_note(dfs_mount_of(req), ino, ret, err->text);
	dfs_reply_failure(req, ret, err);
}

static void read_done(struct dfs_read *read, int ret, const struct iovec *iov, int n, const struct dfs_err *err)
{
	struct read_request *r = (struct read_request *)read;
	struct dfs_mount *mount = r->mount;

	if (ret < 0)
		fail_read(r->req, r->ino, ret, err);
	else
		fuse_reply_iov(r->req, iov, n);
	dfs_content_put(mount, r->content);
	free(r);
	dfs_reads_end(mount);
}

/* Takes over @content. */
static void read_view(fuse_req_t req, fuse_ino_t ino, struct dfs_content *content, size_t size, off_t off)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct read_request *r = malloc(sizeof(*r));

	if (!r) {
		dfs_reply_error(req, -ENOMEM);
		dfs_content_put(mount, content);
		dfs_reads_end(mount);
		return;
	}
	*r = (struct read_request){
		.read = { .off = (uint64_t)off, .len = size, .done = read_done },
		.mount = mount,
		.content = content,
		.req = req,
		.ino = ino,
	};
	dfs_view_submit(content->view, &r->read);
}

static int read_mixed(const struct dfs_content *content, struct dfs_later *later, size_t *ret_len, struct dfs_err *err)
{
	later->data = malloc(later->len);
	if (!later->data)
		return dfs_fail(err, ENOMEM, "out of memory");
	if (!content->thaw)
		return dfs_view_read(content->view, (uint64_t)later->off, later->len, later->data, ret_len, err);
	return dfs_thaw_read_mixed(content->thaw, later->data, later->len, (uint64_t)later->off, ret_len, err);
}

/* It may be plain by now, or lost what was copied to it: then it is read as any plain file, which sees that. */
static void read_now(struct dfs_later *later, const struct dfs_content *content)
{
	struct dfs_err err = { "" };
	size_t len;
	int ret;

	if (!content->thaw && dfs_content_is_plain(content)) {
		dfs_plain_read(later->req, later->open->node, dfs_content_fd(content), later->len, later->off);
		return;
	}
	ret = read_mixed(content, later, &len, &err);
	if (ret == 0)
		fuse_reply_buf(later->req, later->data, len);
	else
		fail_read(later->req, later->open->node->number, ret, &err);
}

static void mixed_run(struct dfs_later *later)
{
	struct dfs_content *content;
	struct dfs_err err = { "" };
	int ret = dfs_copied_settle(later->mount, later->open, &err);

	if (ret < 0) {
		fail_read(later->req, later->open->node->number, ret, &err);
		return;
	}
	content = dfs_content_get(later->mount, later->open);
	read_now(later, content);
	dfs_content_put(later->mount, content);
}

static void read_mixed_later(fuse_req_t req, struct dfs_open *open, enum dfs_open_waits waits, size_t size, off_t off)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	const struct dfs_later mixed = {
		.mount = mount, .req = req, .run = mixed_run, .pool = mount->mixed,
		.open = dfs_handle_hold(mount, open), .waits = waits, .off = off, .len = size,
	};

	dfs_later(&mixed);
}

/* Where the bytes of a file that thaws are now. Return: false: in its view. */
static bool read_thaw(fuse_req_t req, struct dfs_open *open, struct dfs_content *content, size_t size, off_t off)
{
	switch (dfs_thaw_where(content->thaw, (uint64_t)off, size)) {
	case DFS_THAW_OLD:
		return false;
	case DFS_THAW_NEW:
		dfs_plain_read(req, open->node, dfs_thaw_fd(content->thaw), size, off);
		return true;
	default:
		read_mixed_later(req, open, DFS_WAITS_NOT, size, off);
		return true;
	}
}

void dfs_op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_open *open = dfs_open_of(fi);
	struct dfs_content *content = dfs_content_get(mount, open);

	dfs_reads_begin(mount);
	atomic_fetch_add_explicit(&mount->reads_total, 1, memory_order_relaxed);
	if (atomic_load(&open->copying)) {
		read_mixed_later(req, open, DFS_WAITS_PIN, size, off);
	} else if (dfs_content_is_plain(content)) {
		dfs_reader_note(mount->reader);
		dfs_plain_read(req, open->node, dfs_view_fd(content->view), size, off);
	} else if (!content->thaw || !read_thaw(req, open, content, size, off)) {
		read_view(req, ino, content, size, off);
		return;
	}
	dfs_content_put(mount, content);
	dfs_reads_end(mount);
}

/* --- lseek */

/*
 * The kernel does not hand over what it holds before it asks: where it has
 * data, the store's file may have a hole yet. With writeback the file may even
 * end there: ENOSYS has the kernel say that all is data, and not ask again.
 * Without, what is written through a mapping is all that it holds.
 */

/* What was decoded has no holes. */
static off_t seek_all_data(off_t size, off_t off, int whence)
{
	if (off < 0 || off >= size)
		return -ENXIO;
	return whence == SEEK_DATA ? off : size;
}

static off_t seek(struct dfs_mount *mount, struct dfs_open *open, const struct dfs_content *content, off_t off, int whence)
{
	int fd = dfs_content_fd(content);
	uint64_t copied;
	struct stat st;
	off_t at;

	if (mount->writeback)
		return -ENOSYS;
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	if (dfs_copied_size(mount, open, &copied))
		return seek_all_data((off_t)copied, off, whence);
	if (!dfs_content_is_plain(content))
		return seek_all_data((off_t)shown_size(content), off, whence);
	if (dfs_node_busy(&mount->nodes, open->node, UINT64_MAX))
		return fstat(fd, &st) < 0 ? -errno : seek_all_data(st.st_size, off, whence);
	at = lseek(fd, off, whence);
	return at < 0 ? -errno : at;
}

void dfs_op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_open *open = dfs_open_of(fi);
	struct dfs_content *content = dfs_content_get(mount, open);
	off_t at = seek(mount, open, content, off, whence);

	(void)ino;
	dfs_content_put(mount, content);
	if (at < 0)
		dfs_reply_error(req, (int)at);
	else
		fuse_reply_lseek(req, at);
}
