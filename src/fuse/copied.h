/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * copied: a container that copy_file_range(2) copies to an empty file.
 *
 * A program asks for it in one piece or in many. As long as they follow each
 * other from the start nothing is decoded: the file, still empty in the store,
 * is "the first bytes of that container". With the last piece it becomes a
 * container by a copy of what is stored. Whatever else looks at its bytes, or
 * changes them, has them written to it first, as does close(2):
 *
 *	dfs_copied_piece()	0..n of the container, n..m, ... the end: published
 *	dfs_copied_settle()	read, write, size, fallocate, flush, fsync, a copy elsewhere
 *	dfs_copied_size()	stat
 *	dfs_copied_end()	the last writer has left
 *
 * The container is held open meanwhile: what becomes of its name, or of who
 * writes to it, does not show in the copy.
 *
 * Who uses the open form's content gets it first and looks then whether
 * anything is copied (dfs_open->copying); who begins to copy says so first and
 * looks then whether anybody has the content.
 */
#ifndef DFS_FUSE_COPIED_H
#define DFS_FUSE_COPIED_H

#include "fuse/open.h"

/* Under nodes->lock. Only who set busy changes it, or takes it away. */
struct dfs_copied {
	struct dfs_content *from;	/* the container; referenced */
	uint64_t len;			/* its first so many bytes are what the file is */
	bool busy;			/* they are being written, or all of it published */
	bool left;			/* the last who could write left meanwhile: if they cannot be written now, they never are */
};

/**
 * dfs_copied_piece() - @from's bytes at @off become @to's at the same place
 * @from: of a container that nobody has written to
 * @off: before its end
 *
 * Blocks on disks. Return: how many; -EXDEV: to be copied as bytes; -ENOSPC, -EDQUOT, -EIO.
 */
ssize_t dfs_copied_piece(struct dfs_mount *mount, struct dfs_open *to, struct dfs_content *from,
			 uint64_t off, size_t len, struct dfs_err *err);

/**
 * dfs_copied_settle() - what was copied becomes the file's bytes
 * Blocks on disks and decodes; nothing if nothing was copied. After a failure it can be tried again.
 * Return: 0; errors of dfs_view_read() and pwrite(2).
 */
int dfs_copied_settle(struct dfs_mount *mount, struct dfs_open *open, struct dfs_err *err);

/* dfs_copied_forget() - the file is empty again */
void dfs_copied_forget(struct dfs_mount *mount, struct dfs_open *open);

/* dfs_copied_size() - Return: false: the content tells */
bool dfs_copied_size(struct dfs_mount *mount, struct dfs_open *open, uint64_t *ret_size);

/* dfs_copied_end() - nobody writes to the file any more: what could not be written to it is lost */
void dfs_copied_end(struct dfs_mount *mount, struct dfs_open *open);

/* dfs_copied_put() - of an open form that ends; NULL is fine */
void dfs_copied_put(struct dfs_mount *mount, struct dfs_copied *copied);

#endif
