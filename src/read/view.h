/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * view: an open file of a store that answers any (off, len), plain or
 * container; who reads never asks which it is.
 */
#ifndef DFS_READ_VIEW_H
#define DFS_READ_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "format/container.h"
#include "read/reader.h"
#include "util/auto.h"

struct dfs_view;

/**
 * dfs_view_open() - a view of an open regular file
 * @fd: taken on success (closed by dfs_view_close()); needs read access
 * @name: for sentences and the log; copied
 *
 * Constant number of reads, no decode, no base is opened.
 * Return: 0; -EUCLEAN (a broken claim or metadata), -EBADMSG, -ENOTSUP (newer), -EIO, -ENOMEM.
 */
int dfs_view_open(struct dfs_reader *reader, int fd, const char *name,
		  struct dfs_view **ret_view, struct dfs_err *err);
/* dfs_view_open_plain() - the same of a file that is known to be plain: nothing of it is read */
int dfs_view_open_plain(struct dfs_reader *reader, int fd, const char *name,
			struct dfs_view **ret_view, struct dfs_err *err);
/* dfs_view_close() - end it; decodes ahead that run already end by themselves, and the fd with the last. NULL is fine. */
void dfs_view_close(struct dfs_view *view);

uint64_t dfs_view_size(const struct dfs_view *view);
/* dfs_view_container() - its account, or NULL if the file is plain. Borrowed. */
const struct dfs_container *dfs_view_container(const struct dfs_view *view);
int dfs_view_fd(const struct dfs_view *view);
/* dfs_view_trusted() - is it a container that deltafs published, by a mark that users cannot forge? */
bool dfs_view_trusted(const struct dfs_view *view);

/**
 * dfs_view_read() - copy bytes of the file
 * @off: at or past the end reads nothing
 * @len: bytes wanted; may span segments and chunks
 * @buf: room for @len; after a failure its content is unspecified
 * @ret_len: bytes copied, less than @len only at end of file
 *
 * May block on disk and on another thread decoding the same chunk.
 * Return: 0; -EBADMSG if a payload or a decoded chunk does not match its
 * hash; -EUCLEAN if container or payload is malformed; -ENOTSUP if a codec is
 * not in this build; -EIO (base or disk); -EACCES (the container's owner may
 * not read its base, see store/access.h); -ENOMEM. The sentence names file,
 * tensor, chunk and base.
 */
int dfs_view_read(struct dfs_view *view, uint64_t off, size_t len, void *buf,
		  size_t *ret_len, struct dfs_err *err);

/*
 * A read that does not block. The request is the caller's and must live until
 * done() was called, which happens exactly once: in dfs_view_submit() itself
 * if all is cached, else in a decode thread. @iov points into decoded chunks
 * (or, for a plain file, a buffer) that stay until done() returns.
 */
struct dfs_read {
	uint64_t off;
	size_t len;
	/* @iov: at most 64; none at or past the end of the file. @err: NULL unless @ret < 0. */
	void (*done)(struct dfs_read *read, int ret, const struct iovec *iov, int n_iov,
		     const struct dfs_err *err);
};
void dfs_view_submit(struct dfs_view *view, struct dfs_read *read);

DFS_AUTO_KIND(view, struct dfs_view *, dfs_view_close(*p));

#endif
