/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file: open, read, release, lseek.
 *
 * All handles of a node share one view. A read of a container is submitted
 * and answered by whoever has its last chunk; one of a plain file is answered
 * where it comes in (plain.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuse/internal.h"
#include "util/auto.h"

/* The open form of a node. */
struct dfs_open {
	struct dfs_view *view;
	struct dfs_node *node;		/* referenced */
	unsigned handles;		/* under nodes->lock */
};

static struct dfs_open *open_of(const struct fuse_file_info *fi)
{
	return (struct dfs_open *)(uintptr_t)fi->fh;
}

/* --- open and release */

/* Another handle on what is open already; NULL if nothing is. */
static struct dfs_open *handle_more(struct dfs_nodes *nodes, struct dfs_node *node)
{
	struct dfs_open *open;

	pthread_mutex_lock(&nodes->lock);
	open = node->open;
	if (open)
		open->handles++;
	pthread_mutex_unlock(&nodes->lock);
	return open;
}

/* Two may open a node at the same time: the second one's view is not needed. */
static struct dfs_open *handle_first(struct dfs_nodes *nodes, struct dfs_node *node, struct dfs_open *fresh)
{
	struct dfs_open *open;

	pthread_mutex_lock(&nodes->lock);
	open = node->open;
	if (!open) {
		open = node->open = fresh;
		node->refs++;
	}
	open->handles++;
	pthread_mutex_unlock(&nodes->lock);
	if (open != fresh) {
		dfs_view_close(fresh->view);
		free(fresh);
	}
	return open;
}

static void handle_end(struct dfs_nodes *nodes, struct dfs_open *open)
{
	bool last;

	pthread_mutex_lock(&nodes->lock);
	last = --open->handles == 0;
	if (last)
		open->node->open = NULL;
	pthread_mutex_unlock(&nodes->lock);
	if (!last)
		return;
	dfs_view_close(open->view);
	dfs_node_put(nodes, open->node);
	free(open);
}

/*
 * The same for open(): what is open already may have been changed in place
 * since. -ESTALE has the kernel look the name up anew, and find the new file.
 */
static int handle_unchanged(struct dfs_nodes *nodes, struct dfs_node *node, struct dfs_open **ret_open)
{
	struct dfs_open *open = *ret_open = handle_more(nodes, node);
	struct stat st;

	if (!open || (fstat(dfs_view_fd(open->view), &st) == 0 && dfs_same_bytes(&node->st, &st)))
		return 0;
	handle_end(nodes, open);
	return -ESTALE;
}

static int open_node(struct dfs_mount *mount, struct dfs_node *node, struct dfs_open **ret_open, struct dfs_err *err)
{
	DFS_AUTO(fd) int fd = -1;
	DFS_AUTO(mem) struct dfs_open *fresh = NULL;
	char path[PATH_MAX];
	struct stat st;
	int ret;

	ret = handle_unchanged(&mount->nodes, node, ret_open);
	if (ret < 0 || *ret_open)
		return ret;
	ret = dfs_node_path(&mount->nodes, node, path);
	if (ret == 0)
		ret = dfs_node_open(&mount->nodes, mount->store, node, O_RDONLY, &fd, NULL);
	if (ret < 0)
		return ret == -EIO ? dfs_fail(err, EIO, "%s: %s", path, strerror(EIO)) : ret;
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return dfs_fail(err, ENOMEM, "%s: out of memory", path);
	fresh->node = node;
	ret = dfs_view_open(mount->reader, fd, path, &fresh->view, err);
	if (ret < 0)
		return ret;
	dfs_steal_fd(&fd);
	/* Changed while it was looked at: what was found need not be what the node stands for. */
	if (fstat(dfs_view_fd(fresh->view), &st) < 0 || !dfs_node_same(node, &st)) {
		dfs_view_close(fresh->view);
		return -ESTALE;
	}
	*ret_open = handle_first(&mount->nodes, node, dfs_steal(&fresh));
	return 0;
}

void dfs_op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_node *node;
	struct dfs_open *open;
	struct dfs_err err = { "" };
	int ret;

	if ((fi->flags & O_ACCMODE) != O_RDONLY || fi->flags & O_TRUNC) {
		dfs_reply_error(req, -EROFS);
		return;
	}
	node = dfs_node_get(&mount->nodes, ino);
	ret = node ? open_node(mount, node, &open, &err) : -ESTALE;
	dfs_node_put(&mount->nodes, node);
	if (ret < 0 && *err.text) {
		dfs_reply_failure(req, ret, &err);
		return;
	}
	if (ret < 0) { /* what the store said of a name: no more than the caller's business */
		dfs_reply_error(req, ret);
		return;
	}
	fi->fh = (uintptr_t)open;
	fi->keep_cache = 1; /* another content is another node */
	fi->noflush = 1;
	if (fuse_reply_open(req, fi) < 0)
		handle_end(&mount->nodes, open); /* interrupted: no release will come */
}

void dfs_op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	handle_end(&dfs_mount_of(req)->nodes, open_of(fi));
	fuse_reply_err(req, 0);
}

static void open_end(struct dfs_node *node)
{
	if (!node->open)
		return;
	dfs_view_close(node->open->view);
	free(node->open);
	node->open = NULL;
}

void dfs_opens_end(struct dfs_mount *mount)
{
	dfs_nodes_each(&mount->nodes, open_end);
}

int dfs_open_stat(struct dfs_mount *mount, struct dfs_node *node, struct stat *ret_st)
{
	struct dfs_open *open = handle_more(&mount->nodes, node);
	int ret = 0;

	if (!open)
		return -ENOENT;
	if (fstat(dfs_view_fd(open->view), ret_st) < 0)
		ret = -errno;
	else if (!dfs_same_bytes(&node->st, ret_st))
		ret = -ESTALE;
	handle_end(&mount->nodes, open);
	return ret;
}

/* --- read */

struct read_request {
	struct dfs_read read;	/* first: read_done() gets its address */
	struct dfs_mount *mount;
	fuse_req_t req;
};

static void reads_begin(struct dfs_mount *mount)
{
	pthread_mutex_lock(&mount->lock);
	mount->reads++;
	mount->reads_total++;
	pthread_mutex_unlock(&mount->lock);
}

static void reads_end(struct dfs_mount *mount)
{
	pthread_mutex_lock(&mount->lock);
	if (--mount->reads == 0)
		pthread_cond_broadcast(&mount->idle);
	pthread_mutex_unlock(&mount->lock);
}

size_t dfs_reads_wait(struct dfs_mount *mount, unsigned seconds)
{
	struct timespec end;
	size_t left;
	int code = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += seconds;
	pthread_mutex_lock(&mount->lock);
	while (mount->reads && !code)
		code = pthread_cond_clockwait(&mount->idle, &mount->lock, CLOCK_MONOTONIC, &end);
	left = mount->reads;
	pthread_mutex_unlock(&mount->lock);
	return left;
}

static void read_done(struct dfs_read *read, int ret, const struct iovec *iov, int n, const struct dfs_err *err)
{
	struct read_request *r = (struct read_request *)read;
	struct dfs_mount *mount = r->mount;

	if (ret < 0)
		dfs_reply_failure(r->req, ret, err);
	else
		fuse_reply_iov(r->req, iov, n);
	free(r);
	reads_end(mount);
}

static void read_container(fuse_req_t req, struct dfs_open *open, size_t size, off_t off)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct read_request *r = malloc(sizeof(*r));

	if (!r) {
		dfs_reply_error(req, -ENOMEM);
		return;
	}
	*r = (struct read_request){
		.read = { .off = (uint64_t)off, .len = size, .done = read_done },
		.mount = mount,
		.req = req,
	};
	dfs_view_submit(open->view, &r->read);
}

void dfs_op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	struct dfs_mount *mount = dfs_mount_of(req);
	struct dfs_open *open = open_of(fi);

	(void)ino;
	reads_begin(mount);
	if (dfs_view_container(open->view)) {
		read_container(req, open, size, off);
	} else {
		dfs_reader_note(mount->reader);
		dfs_plain_read(req, dfs_view_fd(open->view), &open->node->st, size, off);
		reads_end(mount);
	}
}

/* --- lseek */

/* What was decoded has no holes. */
static off_t seek_in_container(const struct dfs_view *view, off_t off, int whence)
{
	off_t size = (off_t)dfs_view_size(view);

	if (off < 0 || off >= size)
		return -ENXIO;
	return whence == SEEK_DATA ? off : size;
}

void dfs_op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)
{
	struct dfs_open *open = open_of(fi);
	off_t at;

	(void)ino;
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		at = -EINVAL;
	else if (dfs_view_container(open->view))
		at = seek_in_container(open->view, off, whence);
	else if ((at = lseek(dfs_view_fd(open->view), off, whence)) < 0)
		at = -errno;
	if (at < 0)
		dfs_reply_error(req, (int)at);
	else
		fuse_reply_lseek(req, at);
}
