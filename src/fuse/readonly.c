/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * readonly: every operation that changes something, answered with EROFS.
 *
 * The mount has the kernel's read-only flag too, so these are reached only
 * after a remount that lifts it.
 */
#include <errno.h>

#include "fuse/internal.h"

static void ro_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int set, struct fuse_file_info *fi)
{
	(void)ino;
	(void)attr;
	(void)set;
	(void)fi;
	dfs_reply_error(req, -EROFS);
}

static void ro_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	(void)parent;
	(void)name;
	(void)mode;
	(void)rdev;
	dfs_reply_error(req, -EROFS);
}

static void ro_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)parent;
	(void)name;
	(void)mode;
	dfs_reply_error(req, -EROFS);
}

/* unlink, rmdir, removexattr */
static void ro_remove(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	(void)ino;
	(void)name;
	dfs_reply_error(req, -EROFS);
}

static void ro_symlink(fuse_req_t req, const char *link, fuse_ino_t parent, const char *name)
{
	(void)link;
	(void)parent;
	(void)name;
	dfs_reply_error(req, -EROFS);
}

static void ro_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
		      fuse_ino_t new_parent, const char *new_name, unsigned flags)
{
	(void)parent;
	(void)name;
	(void)new_parent;
	(void)new_name;
	(void)flags;
	dfs_reply_error(req, -EROFS);
}

static void ro_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name)
{
	(void)ino;
	(void)new_parent;
	(void)new_name;
	dfs_reply_error(req, -EROFS);
}

static void ro_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	(void)parent;
	(void)name;
	(void)mode;
	(void)fi;
	dfs_reply_error(req, -EROFS);
}

static void ro_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)ino;
	(void)buf;
	(void)size;
	(void)off;
	(void)fi;
	dfs_reply_error(req, -EROFS);
}

static void ro_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	(void)ino;
	(void)name;
	(void)value;
	(void)size;
	(void)flags;
	dfs_reply_error(req, -EROFS);
}

static void ro_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len, struct fuse_file_info *fi)
{
	(void)ino;
	(void)mode;
	(void)off;
	(void)len;
	(void)fi;
	dfs_reply_error(req, -EROFS);
}

static void ro_copy(fuse_req_t req, fuse_ino_t from, off_t off_from, struct fuse_file_info *fi_from,
		    fuse_ino_t to, off_t off_to, struct fuse_file_info *fi_to, size_t len, int flags)
{
	(void)from;
	(void)off_from;
	(void)fi_from;
	(void)to;
	(void)off_to;
	(void)fi_to;
	(void)len;
	(void)flags;
	dfs_reply_error(req, -EROFS);
}

void dfs_ops_readonly(struct fuse_lowlevel_ops *ops)
{
	ops->setattr = ro_setattr;
	ops->mknod = ro_mknod;
	ops->mkdir = ro_mkdir;
	ops->unlink = ro_remove;
	ops->rmdir = ro_remove;
	ops->symlink = ro_symlink;
	ops->rename = ro_rename;
	ops->link = ro_link;
	ops->create = ro_create;
	ops->write = ro_write;
	ops->setxattr = ro_setxattr;
	ops->removexattr = ro_remove;
	ops->fallocate = ro_fallocate;
	ops->copy_file_range = ro_copy;
}
